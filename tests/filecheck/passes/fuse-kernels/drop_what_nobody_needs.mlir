// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// Dead generics, dead outputs, and what only they need.
#id = affine_map<(d0) -> (d0)>
func.func @dead(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %dead = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%y : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.exp %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %p, %q = "linalg.generic"(%x, %y, %x, %z) <{indexing_maps = [#id, #id, #id, #id],
      iterator_types = [#linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 2>}> ({
  ^bb0(%a: f64, %b: f64, %u: f64, %v: f64):
    %0 = math.log %b : f64
    %1 = math.sqrt %a : f64
    linalg.yield %0, %1 : f64, f64
  }) : (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
  func.return %q : tensor<?xf64>
}

// CHECK-LABEL: @dead
// CHECK-NEXT:    %q = linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>)
// CHECK-NEXT:    ^bb0(%[[A:.*]]: f64, %{{.*}}: f64):
// CHECK-NEXT:      %[[Q:.*]] = math.sqrt %[[A]]
// CHECK-NEXT:      linalg.yield %[[Q]]
// CHECK-NOT:     linalg.generic

// -----

// An operand that is not read stays where nothing else says how far its dimension goes.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @count(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %one = arith.constant 1.0 : f64
  %ones = linalg.fill ins(%one : f64) outs(%x : tensor<?xf64>) -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%ones : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%e: f64, %acc: f64):
    %0 = arith.addf %acc, %e : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %q : tensor<f64>
}

// CHECK-LABEL: @count
// CHECK-NEXT:    %one = arith.constant 1.000000e+00 : f64
// CHECK-NEXT:    linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>)
// CHECK-NEXT:    ^bb0(%{{.*}}: f64, %[[ACC:.*]]: f64):
// CHECK-NEXT:      arith.addf %[[ACC]], %one
