// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null

// Kernels are signless, stores are not: min and max must compare as the store means it.

func.func @least(%x: tensor<?xi32>, %s: tensor<i32>) -> tensor<i32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>], iterator_types = ["reduction"]} ins(%x : tensor<?xi32>) outs(%s : tensor<i32>) {
  ^bb0(%e: i32, %acc: i32):
    %m = arith.minsi %acc, %e : i32
    linalg.yield %m : i32
  } -> tensor<i32>
  func.return %r : tensor<i32>
}
%x = dist.store "x" : !dist.store<8xui32>
%s = dist.store "s" : !dist.store<ui32>
// expected-error @+1 {{'@least' folds argument 1, whose elements are ui32, with 'arith.minsi'}}
dist.launch @least<[4]>(%x: read #dist.tiling<[2]>, %s: reduce<min> #dist.none) : (!dist.store<8xui32>, !dist.store<ui32>)

// -----

// On booleans the signed forms are no combiners at all.

func.func @all(%x: tensor<?xi1>, %s: tensor<i1>) -> tensor<i1> {
  // expected-error @+1 {{not yielded by a combiner}}
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>], iterator_types = ["reduction"]} ins(%x : tensor<?xi1>) outs(%s : tensor<i1>) {
  ^bb0(%e: i1, %acc: i1):
    %m = arith.minsi %acc, %e : i1
    linalg.yield %m : i1
  } -> tensor<i1>
  func.return %r : tensor<i1>
}
%x = dist.store "x" : !dist.store<8xi1>
%s = dist.store "s" : !dist.store<i1>
dist.launch @all<[4]>(%x: read #dist.tiling<[2]>, %s: reduce<min> #dist.none) : (!dist.store<8xi1>, !dist.store<i1>)
