// RUN: fuseir-opt %s -t llvm | filecheck %s

// A light loop has its full vectors twice: with plain stores, and with stores of whole lines that go past the caches. Those are for results
// of 64 MB and more, of all points together (%a3): 2^23 elements of 8 bytes.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @double(%x: !v, %z: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    %m = arith.addf %e, %e : f64
    memref.store %m, %z[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK-LABEL: define internal i32 @fz_body_0_
// CHECK: [[ALL:%v\d+]] = mul i64 %a3, [[N:%v\d+]]
// CHECK: [[LARGE:%v\d+]] = icmp sge i64 [[ALL]], 8388608
// CHECK: [[STREAMED:%v\d+]] = and i1 [[LARGE]],
// CHECK: store <16 x double> {{.*}}, align 1
// CHECK: store <16 x double> {{.*}}, align 64, !nontemporal !0
// CHECK: call void @llvm.masked.store.v16f64.p0(
// CHECK: br i1 [[STREAMED]]
// CHECK: call void @llvm.x86.sse.sfence()

// What is updated in place is in a cache already.
func.func @in_place(%x: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    %m = arith.addf %e, %e : f64
    memref.store %m, %x[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK-LABEL: define internal i32 @fz_body_2_
// CHECK-NOT: !nontemporal !
// CHECK: !0 = !{i32 1}
