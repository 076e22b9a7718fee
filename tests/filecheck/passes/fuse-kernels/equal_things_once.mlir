// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// The same tensor under the same map is one operand; the same operation on the same values is one operation.
#id = affine_map<(d0) -> (d0)>
func.func @equal(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %p = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %x : tensor<?xf64>, tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.mulf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = arith.mulf %a, %a : f64
    %1 = math.sqrt %0 : f64
    linalg.yield %1 : f64
  } -> tensor<?xf64>
  func.return %p, %q : tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @equal
// CHECK-NEXT:    linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%y, %z : tensor<?xf64>, tensor<?xf64>)
// CHECK-NEXT:    ^bb0(%[[A:.*]]: f64, %{{.*}}: f64, %{{.*}}: f64):
// CHECK-NEXT:      %[[P:.*]] = arith.mulf %[[A]], %[[A]]
// CHECK-NEXT:      %[[Q:.*]] = math.sqrt %[[P]]
// CHECK-NEXT:      linalg.yield %[[P]], %[[Q]]
