// RUN: fuseir-opt %s -t llvm | filecheck %s

// The sine is written out in the loop that does most of the work: a reduction by parts of pi, a polynomial, the sign. Where a lane's argument is too
// large for that, a function is called, which leaves such lanes to the C library. The loop over the rest calls the function for all.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @sine(%x: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    %p = math.sin %e : f64
    memref.store %p, %x[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK-LABEL: define internal i32 @fz_body_0_
// CHECK: [[E:%v\d+]] = load <16 x double>
// CHECK-NEXT: [[MOVED:%v\d+]] = call <16 x double> @llvm.fma.v16f64(<16 x double> [[E]],
// CHECK: call <16 x double> @llvm.copysign.v16f64(
// CHECK: [[SIZE:%v\d+]] = call <16 x double> @llvm.fabs.v16f64(<16 x double> [[E]])
// CHECK: fcmp ole <16 x double> [[SIZE]], splat (double 0x41D0000000000000)
// CHECK: br i1 {{%v\d+}}, label %[[RARE:b\d+]], label %[[AFTER:b\d+]]
// CHECK: [[RARE]]:
// CHECK-NEXT: call <16 x double> @fz_math_0_{{[0-9a-f]+}}(<16 x double> [[E]]) cold
// CHECK: [[AFTER]]:
// CHECK: store <16 x double>
// CHECK: call <16 x double> @fz_math_0_{{[0-9a-f]+}}(<16 x double> {{%v\d+}})
// CHECK-NOT: fma
// CHECK: ret i32 0
// CHECK: define <16 x double> @fz_math_0_
// CHECK: call double @sin(double {{%v\d+}}) nobuiltin
// CHECK: ret <16 x double>
