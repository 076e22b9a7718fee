// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// A reduction is computed as its operands are made. The dimension becomes a reduction for the whole nest.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @dot(%x: tensor<?xf64>, %y: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64>
    attributes {dist.privileges = ["read", "read", "reduce<add>"]} {
  %p = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%x : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.mulf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%p : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %q : tensor<f64>
}

// CHECK-LABEL: @dot
// CHECK-NEXT:    %q = linalg.generic {{.*}} iterator_types = ["reduction"]}
// CHECK-SAME:      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%s : tensor<f64>)
// CHECK-NEXT:    ^bb0(%[[A:.*]]: f64, %[[B:.*]]: f64, %[[ACC:.*]]: f64):
// CHECK-NEXT:      %[[P:.*]] = arith.mulf %[[A]], %[[B]]
// CHECK-NEXT:      %[[Q:.*]] = arith.addf %[[ACC]], %[[P]]
// CHECK-NEXT:      linalg.yield %[[Q]]

// -----

// The sum of each row and the sum of all: the loop over rows goes around for both.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#none = affine_map<(d0, d1) -> ()>
func.func @rows_and_all(%x: tensor<?x?xf64>, %r: tensor<?xf64>, %s: tensor<f64>) -> (tensor<?xf64>, tensor<f64>) {
  %p = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf64>) outs(%r : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<?x?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %p, %q : tensor<?xf64>, tensor<f64>
}

// CHECK-LABEL: @rows_and_all
// CHECK-NEXT:    %p, %q = linalg.generic {{.*}} iterator_types = ["reduction", "reduction"]}
// CHECK-SAME:      ins(%x : tensor<?x?xf64>) outs(%r, %s : tensor<?xf64>, tensor<f64>)

// -----

// Two folds into one partial are one chain; the argument is still used once, by a fold.
#id = affine_map<(d0) -> (d0)>
func.func @chain(%x: tensor<?xf64>, %y: tensor<?xf64>, %s: tensor<?xf64>) -> tensor<?xf64>
    attributes {dist.privileges = ["read", "read", "reduce<add>"]} {
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%s : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%y : tensor<?xf64>) outs(%p : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %q : tensor<?xf64>
}

// CHECK-LABEL: @chain
// CHECK-NEXT:    %q = linalg.generic {{.*}} ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%s : tensor<?xf64>)
// CHECK-NEXT:    ^bb0(%[[A:.*]]: f64, %[[B:.*]]: f64, %[[ACC:.*]]: f64):
// CHECK-NEXT:      %[[P:.*]] = arith.addf %[[ACC]], %[[A]]
// CHECK-NEXT:      %[[Q:.*]] = arith.addf %[[P]], %[[B]]
// CHECK-NEXT:      linalg.yield %[[Q]]
