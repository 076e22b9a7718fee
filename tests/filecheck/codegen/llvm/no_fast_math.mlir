// RUN: fuseir-opt %s -t llvm | filecheck %s

// One instruction an operation, without flags: nothing is contracted, reassociated or assumed.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @fused(%x: !v, %y: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %tenth = arith.constant 0.1 : f64
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    %f = memref.load %y[%i] : !v
    %p = arith.mulf %e, %f : f64
    %s = arith.addf %p, %f : f64
    %d = arith.divf %s, %e : f64
    %r = math.sqrt %d : f64
    %m = arith.minimumf %r, %tenth : f64
    memref.store %m, %x[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: [[P:%v\d+]] = fmul <16 x double> {{%v\d+}}, {{%v\d+$}}
// CHECK-NEXT: [[S:%v\d+]] = fadd <16 x double> [[P]], {{%v\d+$}}
// CHECK-NEXT: [[D:%v\d+]] = fdiv <16 x double> [[S]], {{%v\d+$}}
// CHECK-NEXT: [[R:%v\d+]] = call <16 x double> @llvm.sqrt.v16f64(<16 x double> [[D]])
// NaN wins, and -0 is below +0. Constants are written to the bit.
// CHECK-NEXT: call <16 x double> @llvm.minimum.v16f64(<16 x double> [[R]], <16 x double> splat (double 0x3FB999999999999A))
