// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// In the consumer's nest each row's exponential would be computed once a column. (The product made twice is made once
// all the same.)
#id = affine_map<(d0) -> (d0)>
#row = affine_map<(d0, d1) -> (d0)>
#both = affine_map<(d0, d1) -> (d0, d1)>
func.func @broadcast(%x: tensor<?xf64>, %y: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%x : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.exp %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#row, #both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%p, %y : tensor<?xf64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.mulf %a, %b : f64
    %1 = arith.mulf %a, %b : f64
    %2 = arith.addf %0, %1 : f64
    linalg.yield %2 : f64
  } -> tensor<?x?xf64>
  func.return %q : tensor<?x?xf64>
}

// CHECK-LABEL: @broadcast
// CHECK-NEXT:    %p = linalg.generic {{.*}} iterator_types = ["parallel"]}
// CHECK:         %q = linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%p, %y :
// CHECK:           %[[P:.*]] = arith.mulf
// CHECK-NEXT:      arith.addf %[[P]], %[[P]]

// -----

// Nothing says that these two have equal extents.
#id = affine_map<(d0) -> (d0)>
func.func @unrelated(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %p = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : tensor<?xf64>) {
  ^bb0(%a: f64):
    %0 = math.exp %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64):
    %0 = math.exp %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p, %q : tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @unrelated
// CHECK-NEXT:    %p = linalg.generic
// CHECK:         %q = linalg.generic
