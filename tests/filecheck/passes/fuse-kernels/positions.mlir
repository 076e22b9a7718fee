// RUN: fuseir-opt %s -p fuse-kernels | filecheck %s

// A position goes along with the dimension that it is of. Here the second generic has its dimensions the other way round, and so has the
// one that is left: both positions are the first dimension's of %x and %z.
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
func.func @f(%x: tensor<?x?xi64>, %z: tensor<?x?xi64>) -> tensor<?x?xi64> attributes {dist.privileges = ["read", "write"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %z, %c0 : tensor<?x?xi64>
  %n = tensor.dim %z, %c1 : tensor<?x?xi64>
  %t = tensor.empty(%m, %n) : tensor<?x?xi64>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xi64>) outs(%t : tensor<?x?xi64>) {
  ^bb0(%e: i64, %o: i64):
    %i = linalg.index 0 : index
    %p = arith.index_cast %i : index to i64
    %s = arith.addi %e, %p : i64
    linalg.yield %s : i64
  } -> tensor<?x?xi64>
  %q = linalg.generic {indexing_maps = [#swap, #swap], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<?x?xi64>) outs(%z : tensor<?x?xi64>) {
  ^bb0(%e: i64, %o: i64):
    %i = linalg.index 1 : index
    %p = arith.index_cast %i : index to i64
    %s = arith.muli %e, %p : i64
    linalg.yield %s : i64
  } -> tensor<?x?xi64>
  func.return %q : tensor<?x?xi64>
}

// CHECK:      linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d1, d0)>]
// CHECK-NEXT: ^bb0(%[[E:.*]]: i64, %{{.*}}: i64):
// CHECK-NEXT:   %[[I:.*]] = linalg.index 1 : index
// CHECK-NEXT:   %[[P:.*]] = arith.index_cast %[[I]] : index to i64
// CHECK-NEXT:   %[[S:.*]] = arith.addi %[[E]], %[[P]] : i64
// CHECK-NEXT:   %[[T:.*]] = arith.muli %[[S]], %[[P]] : i64
// CHECK-NEXT:   linalg.yield %[[T]] : i64
// CHECK-NOT:  linalg.generic
