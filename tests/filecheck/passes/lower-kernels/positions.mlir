// RUN: fuseir-opt %s -p lower-kernels | filecheck %s

// A position is the induction variable of its dimension's loop, and is converted where that begins.
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @f(%z: tensor<?x?xi64>) -> tensor<?x?xi64> attributes {dist.privileges = ["write"]} {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%z : tensor<?x?xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %p = arith.index_cast %i : index to i64
    %q = arith.index_cast %j : index to i64
    %s = arith.subi %p, %q : i64
    linalg.yield %s : i64
  } -> tensor<?x?xi64>
  func.return %r : tensor<?x?xi64>
}

// CHECK:      ^bb0(%[[I:.*]]: index):
// CHECK-NEXT:   %[[P:.*]] = arith.index_cast %[[I]] : index to i64
// CHECK-NEXT:   "scf.parallel"
// CHECK-NEXT:   ^bb0(%[[J:.*]]: index):
// CHECK-NEXT:     %[[Q:.*]] = arith.index_cast %[[J]] : index to i64
// CHECK-NEXT:     %[[S:.*]] = arith.subi %[[P]], %[[Q]] : i64
// CHECK-NEXT:     memref.store %[[S]], %z[%[[I]], %[[J]]]
