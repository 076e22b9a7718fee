// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// The square root could join the sum, but only the later nest reads it: there it need not be stored.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @move(%x: tensor<?xf64>, %y: tensor<?xf64>, %s: tensor<f64>, %z: tensor<?xf64>) -> (tensor<f64>, tensor<?xf64>) {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%x : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.sqrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %sum = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%y : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  %q = linalg.generic {indexing_maps = [#id, #none, #id], iterator_types = ["parallel"]}
      ins(%r, %sum : tensor<?xf64>, tensor<f64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.divf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %sum, %q : tensor<f64>, tensor<?xf64>
}

// CHECK-LABEL: @move
// CHECK-NEXT:    %sum = linalg.generic {{.*}} ins(%y : tensor<?xf64>) outs(%s : tensor<f64>)
// CHECK:         %q = linalg.generic {{.*}} ins(%x, %sum : tensor<?xf64>, tensor<f64>) outs(%z : tensor<?xf64>)
// CHECK:           math.sqrt
// CHECK-NEXT:      arith.divf
