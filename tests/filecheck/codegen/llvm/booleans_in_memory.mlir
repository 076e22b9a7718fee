// RUN: fuseir-opt %s -t llvm | filecheck %s

// A boolean is a byte in memory, 0 or 1, and one bit in registers; any byte but 0 reads as true.
!b = memref<?xi1, strided<[?], offset: ?>>
func.func @invert(%x: !b, %z: !b) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %yes = arith.constant true
  %n = memref.dim %x, %c0 : !b
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !b
    %p = arith.xori %e, %yes : i1
    memref.store %p, %z[%i] : !b
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: [[BYTES:%v\d+]] = load <64 x i8>, ptr {{.*}}, align 1
// CHECK: [[E:%v\d+]] = icmp ne <64 x i8> [[BYTES]], zeroinitializer
// CHECK: [[P:%v\d+]] = xor <64 x i1> [[E]], splat (i1 true)
// CHECK: [[OUT:%v\d+]] = zext <64 x i1> [[P]] to <64 x i8>
// CHECK: store <64 x i8> [[OUT]], ptr {{.*}}, align 1
