// RUN: fuseir-opt %s -t llvm | filecheck %s

// Two loops over each row: the one that computes more fetches the next row for both, of %x to read it and of %y to write it. A row
// too long for the cache is not fetched early: the offset is 0 then.
!m = memref<?x?xf64, strided<[?, ?], offset: ?>>
func.func @rows(%x: !m, %y: !m) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !m
  %m = memref.dim %x, %c1 : !m
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    "scf.parallel"(%c0, %m, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
    ^bb0(%j: index):
      %e = memref.load %x[%i, %j] : !m
      memref.store %e, %y[%i, %j] : !m
      scf.reduce
    }) {vector} : (index, index, index) -> ()
    "scf.parallel"(%c0, %m, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
    ^bb0(%j: index):
      %e = memref.load %x[%i, %j] : !m
      %f = arith.mulf %e, %e : f64
      memref.store %f, %y[%i, %j] : !m
      scf.reduce
    }) {vector} : (index, index, index) -> ()
    scf.reduce
  }) : (index, index, index) -> ()
  func.return
}

// CHECK-LABEL: define internal i32 @fz_body_0_
// CHECK-NOT: prefetch
// CHECK: store <{{[0-9]+}} x double>
// CHECK: [[SHORT:%v\d+]] = icmp ule i64 {{.*}}, 16384
// CHECK-NEXT: select i1 [[SHORT]], i64 %v{{.*}}, i64 0
// CHECK: phi i64
// CHECK: call void @llvm.prefetch.p0(ptr %{{.*}}, i32 0, i32 2, i32 1)
// CHECK: call void @llvm.prefetch.p0(ptr %{{.*}}, i32 1, i32 2, i32 1)
// CHECK: fmul <{{[0-9]+}} x double>
// CHECK-NOT: prefetch.p0(
// CHECK: ret i32 0
