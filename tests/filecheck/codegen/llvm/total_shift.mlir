// RUN: fuseir-opt %s -t llvm | filecheck %s

// A shift by the width or more gives 0; LLVM's undefined result is in the arm of the select that is not taken.
!i = memref<?xi64, strided<[?], offset: ?>>
func.func @shift(%x: !i, %y: !i) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !i
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !i
    %f = memref.load %y[%i] : !i
    %p = arith.shli %e, %f : i64
    %q = arith.shrsi %p, %f : i64
    memref.store %q, %x[%i] : !i
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: [[S:%v\d+]] = shl <16 x i64> {{.*}}, [[Y:%v\d+]]
// CHECK: [[FAR:%v\d+]] = icmp uge <16 x i64> [[Y]], splat (i64 64)
// CHECK: select <16 x i1> [[FAR]], <16 x i64> splat (i64 0), <16 x i64> [[S]]
// To the right, the sign is left: as after width - 1.
// CHECK: [[AMOUNT:%v\d+]] = call <16 x i64> @llvm.umin.v16i64(<16 x i64> [[Y]], <16 x i64> splat (i64 63))
// CHECK: ashr <16 x i64> {{.*}}, [[AMOUNT]]
