// RUN: fuseir-opt %s -t llvm | filecheck %s

// A vector loop comes twice. While all tiles it moves through are contiguous, it takes full vectors with plain loads and stores, two
// registers at a time; what is left over, or all of it if some tile is strided, goes through the general version.
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

// CHECK-LABEL: define internal i32 @fz_body_0_
// Full vectors: as many as there are, or none.
// CHECK: [[WHOLE:%v\d+]] = and i64 {{.*}}, -16
// CHECK: [[NEARX:%v\d+]] = icmp eq i64 {{.*}}, 8
// CHECK: [[NEARZ:%v\d+]] = icmp eq i64 {{.*}}, 8
// CHECK: [[BOTH:%v\d+]] = and i1 [[NEARX]], [[NEARZ]]
// CHECK: [[END:%v\d+]] = select i1 [[BOTH]], i64 [[WHOLE]], i64 0
// CHECK: [[E:%v\d+]] = load <16 x double>, ptr {{.*}}, align 1
// CHECK: store <16 x double> [[E]], ptr {{.*}}, align 1
// The rest, at any stride: how many lanes are to run is an argument.
// CHECK: phi i64 [ [[END]],
// CHECK: [[ACTIVE:%v\d+]] = call i64 @llvm.smin.i64({{.*}}, i64 16)
// CHECK: [[R:%v\d+]] = call <16 x double> @fz_load_0_{{.*}}, i64 [[ACTIVE]])
// CHECK: call void @fz_store_0_{{.*}}(<16 x double> [[R]], {{.*}}, i64 [[ACTIVE]])
