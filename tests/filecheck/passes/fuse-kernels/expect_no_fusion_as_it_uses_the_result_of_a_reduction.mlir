// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// The quotient needs the whole sum. What both need is stored by the first nest and read back by the second.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @normalise(%x: tensor<?xf64>, %s: tensor<f64>, %z: tensor<?xf64>) -> (tensor<f64>, tensor<?xf64>) {
  %e = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%x : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.exp %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %sum = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%e : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  %q = linalg.generic {indexing_maps = [#id, #none, #id], iterator_types = ["parallel"]}
      ins(%e, %sum : tensor<?xf64>, tensor<f64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.divf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %sum, %q : tensor<f64>, tensor<?xf64>
}

// CHECK-LABEL: @normalise
// CHECK-NEXT:    %e, %sum = linalg.generic {{.*}} ins(%x : tensor<?xf64>)
// CHECK:         %q = linalg.generic {{.*}} ins(%e, %sum : tensor<?xf64>, tensor<f64>) outs(%z : tensor<?xf64>)
// CHECK-NEXT:    ^bb0
// CHECK-NEXT:      arith.divf

// -----

// A sum that goes on from another sum starts when that one is done.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @two_sums(%x: tensor<?xf64>, %y: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %p = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  %q = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%p : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %q : tensor<f64>
}

// CHECK-LABEL: @two_sums
// CHECK-NEXT:    %p = linalg.generic {{.*}} outs(%s : tensor<f64>)
// CHECK:         %q = linalg.generic {{.*}} outs(%p : tensor<f64>)
