// RUN: fuseir-opt %s -t llvm | filecheck %s

// A vector loop takes full vectors with plain loads and stores, two registers at a time; what is left over goes through the same code once more
// with a mask, in bounds. Where some tile is strided it does so by way of buffers, for short pieces of the row.
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

// CHECK-LABEL: define internal i32 @fz_body_0_
// CHECK: [[NEARX:%v\d+]] = icmp eq i64 {{.*}}, 8
// CHECK: [[NEARZ:%v\d+]] = icmp eq i64 {{.*}}, 8
// CHECK: [[BOTH:%v\d+]] = and i1 [[NEARX]], [[NEARZ]]
// One piece, or pieces of 256 elements.
// CHECK: select i1 [[BOTH]], i64 {{.*}}, i64 256
// CHECK: [[FAR:%v\d+]] = xor i1 [[BOTH]], true
// CHECK: br i1 [[FAR]]
// CHECK: call ptr @fz_gather_0_
// CHECK: [[NEAR:%v\d+]] = icmp eq i64 {{.*}}, 8
// CHECK: select i1 [[NEAR]], ptr
// Full vectors: as many as there are in the piece.
// CHECK: [[WHOLE:%v\d+]] = and i64 {{.*}}, -16
// CHECK: [[E:%v\d+]] = load <16 x double>, ptr {{.*}}, align 1
// CHECK: [[M:%v\d+]] = fneg <16 x double> [[E]]
// CHECK: store <16 x double> [[M]], ptr {{.*}}, align 1
// The rest, if there is some.
// CHECK: [[MASK:%v\d+]] = icmp ugt <16 x i8> {{.*}}, <i8 0, i8 1, i8 2,
// CHECK: [[R:%v\d+]] = call <16 x double> @llvm.masked.load.v16f64.p0(ptr align 1 {{.*}}, <16 x i1> [[MASK]], <16 x double> zeroinitializer)
// CHECK: [[F:%v\d+]] = freeze <16 x double> [[R]]
// CHECK: [[N:%v\d+]] = fneg <16 x double> [[F]]
// CHECK: call void @llvm.masked.store.v16f64.p0(<16 x double> [[N]], ptr align 1 {{.*}}, <16 x i1> [[MASK]])
// What the loop has changed is put back.
// CHECK: br i1 [[FAR]]
// CHECK-NEXT: {{^b\d+:}}
// CHECK-NEXT: call void @fz_scatter_0_
