// RUN: fuseir-opt %s -t llvm | filecheck %s

// Division never traps: a divisor of 0, or of -1 below INT_MIN, is replaced before the instruction, and x / 0 is 0.
!i = memref<?xi32, strided<[?], offset: ?>>
func.func @quotient(%x: !i, %y: !i) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !i
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !i
    %f = memref.load %y[%i] : !i
    %p = arith.divsi %e, %f : i32
    memref.store %p, %x[%i] : !i
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: [[ZERO:%v\d+]] = icmp eq <32 x i32> [[Y:%v\d+]], splat (i32 0)
// CHECK: [[LEAST:%v\d+]] = icmp eq <32 x i32> [[X:%v\d+]], splat (i32 -2147483648)
// CHECK: [[MINUS:%v\d+]] = icmp eq <32 x i32> [[Y]], splat (i32 -1)
// CHECK: [[OVER:%v\d+]] = and <32 x i1> [[LEAST]], [[MINUS]]
// CHECK: [[BAD:%v\d+]] = or <32 x i1> [[ZERO]], [[OVER]]
// CHECK: [[SAFE:%v\d+]] = select <32 x i1> [[BAD]], <32 x i32> splat (i32 1), <32 x i32> [[Y]]
// CHECK: [[Q:%v\d+]] = sdiv <32 x i32> [[X]], [[SAFE]]
// CHECK: select <32 x i1> [[ZERO]], <32 x i32> splat (i32 0), <32 x i32> [[Q]]
