// RUN: fuseir-opt %s -t llvm | filecheck %s

// What a loop computes from values of the outside alone is computed once, in front of it: here an exponential, which may cost more than
// the rest of the loop. Its bits are those it would have within a loop.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @scale(%x: !v, %a: f64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    %f = math.exp %a : f64
    %p = arith.mulf %e, %f : f64
    memref.store %p, %x[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK-LABEL: define internal i32 @fz_body_0_
// CHECK: [[A:%v\d+]] = load double, ptr {{.*}}, align 8
// CHECK: [[EXP:%v\d+]] = call double @fz_math_0_{{[0-9a-f]+}}(double [[A]])
// CHECK: phi i64
// CHECK-NOT: @fz_math_0
// CHECK: ret i32 0
