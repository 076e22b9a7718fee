// RUN: fuseir-opt %s -t llvm | filecheck %s

// Elements that are not neighbours are gathered into a buffer, one after another, and scattered from there; neighbours stay where they are.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @negate(%x: !v, %z: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    %m = arith.negf %e : f64
    memref.store %m, %z[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: define ptr @fz_gather_0_{{.*}}(ptr noalias %a0, ptr %a1, i64 %a2, i64 %a3)
// CHECK: icmp eq i64 %a2, 8
// CHECK: ret ptr %a1
// Eight elements make a vector.
// CHECK: [[E:%v\d+]] = load double, ptr {{.*}}, align 1
// CHECK-NEXT: insertelement <8 x double> poison, double [[E]], i64 0
// CHECK: store <8 x double> {{.*}}, align 64
// CHECK: load double, ptr {{.*}}, align 1
// CHECK: store double {{.*}}, align 8
// CHECK: ret ptr %a0

// CHECK: define void @fz_scatter_0_{{.*}}(ptr %a0, i64 %a1, ptr noalias %a2, i64 %a3)
// CHECK: icmp eq i64 %a1, 8
// CHECK: ret void
// CHECK: load <8 x double>, ptr {{.*}}, align 64
// CHECK: store double {{.*}}, align 1
