// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// The consumer reads the transpose: its iteration space is the producer's with the dimensions renamed, and its order counts.
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
func.func @transposed(%x: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf64>) outs(%x : tensor<?x?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.sqrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  %q = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = arith.negf %a : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  func.return %q : tensor<?x?xf64>
}

// CHECK-LABEL: @transposed
// CHECK-NEXT:    linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>]
// CHECK-SAME:      ins(%x : tensor<?x?xf64>) outs(%z : tensor<?x?xf64>)
// CHECK-NOT:     linalg.generic

// -----

// Two reductions of one tensor, one of them written with its dimensions the other way round: its tree folds the columns' dimension
// first, and does so after fusion too.
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
#none = affine_map<(d0, d1) -> ()>
func.func @tree(%x: tensor<?x?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf64>) outs(%x : tensor<?x?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.sqrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  %q = linalg.generic {indexing_maps = [#swap, #none], iterator_types = ["reduction", "reduction"]}
      ins(%p : tensor<?x?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %q : tensor<f64>
}

// CHECK-LABEL: @tree
// CHECK-NEXT:    linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> ()>]
// CHECK-SAME:      iterator_types = ["reduction", "reduction"]} ins(%x : tensor<?x?xf64>) outs(%s : tensor<f64>)
// CHECK-NOT:     linalg.generic
