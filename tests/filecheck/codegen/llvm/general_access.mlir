// RUN: fuseir-opt %s -t llvm | filecheck %s

// What the general version calls for a load asks whether elements are neighbours, and then reads the active lanes with a mask, in
// bounds; at other strides it reads one element after another.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @copy(%x: !v, %z: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    memref.store %e, %z[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: define <16 x double> @fz_load_0_{{.*}}(ptr %a0, i64 %a1, i64 %a2)
// CHECK: [[FULL:%v\d+]] = icmp eq i64 %a2, 16
// CHECK: [[NEAR:%v\d+]] = icmp eq i64 %a1, 8
// CHECK: br i1 [[NEAR]]
// CHECK: br i1 [[FULL]]
// CHECK: load <16 x double>, ptr %a0, align 1
// CHECK: [[MASK:%v\d+]] = icmp ugt <16 x i8> {{.*}}, <i8 0, i8 1, i8 2,
// CHECK: call <16 x double> @llvm.masked.load.v16f64.p0(ptr align 1 %a0, <16 x i1> [[MASK]], <16 x double> zeroinitializer)
// CHECK: load double, ptr %a0, align 1
// CHECK: getelementptr i8, ptr %a0, i64 %a1

// CHECK: define void @fz_store_0_{{.*}}(<16 x double> %a0, ptr %a1, i64 %a2, i64 %a3)
// CHECK: call void @llvm.masked.store.v16f64.p0(<16 x double> %a0, ptr align 1 %a1,
