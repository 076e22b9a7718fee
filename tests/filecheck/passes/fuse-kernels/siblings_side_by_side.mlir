// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// Two generics that do not depend on each other, on one iteration space: one nest, and what both read is read once.
#id = affine_map<(d0) -> (d0)>
func.func @siblings(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.sin %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.cos %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p, %q : tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @siblings
// CHECK-NEXT:    %p, %q = linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%y, %z : tensor<?xf64>, tensor<?xf64>)
// CHECK-NEXT:    ^bb0(%[[A:.*]]: f64, %{{.*}}: f64, %{{.*}}: f64):
// CHECK-NEXT:      math.sin %[[A]]
// CHECK-NEXT:      math.cos %[[A]]

// -----

// Generics on single elements have one iteration space too, the point.
#point = affine_map<() -> ()>
func.func @rank_zero(%x: tensor<f64>, %y: tensor<f64>, %z: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %p = linalg.generic {indexing_maps = [#point, #point], iterator_types = []} ins(%x : tensor<f64>) outs(%y : tensor<f64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.sqrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  %q = linalg.generic {indexing_maps = [#point, #point], iterator_types = []} ins(%p : tensor<f64>) outs(%z : tensor<f64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = arith.negf %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %p, %q : tensor<f64>, tensor<f64>
}

// CHECK-LABEL: @rank_zero
// CHECK-NEXT:    %p, %q = linalg.generic {{.*}}, iterator_types = []} ins(%x : tensor<f64>) outs(%y, %z : tensor<f64>, tensor<f64>)
// CHECK-NOT:     linalg.generic
