// RUN: fuseir-opt %s -t llvm | filecheck %s

// A nest that only copies is a call, here of a transposed tile: for each of its loops the extent, and how far it moves target and source.
!m = memref<?x?xf64, strided<[?, ?], offset: ?>>
func.func @transpose(%x: !m, %z: !m) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %z, %c0 : !m
  %m = memref.dim %z, %c1 : !m
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    "scf.parallel"(%c0, %m, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
    ^bb0(%j: index):
      %e = memref.load %x[%j, %i] : !m
      memref.store %e, %z[%i, %j] : !m
      scf.reduce
    }) {vector} : (index, index, index) -> ()
    scf.reduce
  }) : (index, index, index) -> ()
  func.return
}

// CHECK-LABEL: define internal i32 @fz_body_0_
// CHECK-NEXT: entry:
// CHECK-NEXT:   [[TABLE:%v\d+]] = alloca [6 x i64], align 8
// CHECK:        getelementptr i64, ptr %a0, i64 3
// CHECK-NEXT:   [[X0:%v\d+]] = load i64
// CHECK-NEXT:   getelementptr i64, ptr %a0, i64 4
// CHECK-NEXT:   [[X1:%v\d+]] = load i64
// CHECK:        getelementptr i64, ptr %a0, i64 8
// CHECK-NEXT:   [[Z0:%v\d+]] = load i64
// CHECK-NEXT:   getelementptr i64, ptr %a0, i64 9
// CHECK-NEXT:   [[Z1:%v\d+]] = load i64
// CHECK:        getelementptr i64, ptr [[TABLE]], i64 1
// CHECK-NEXT:   store i64 [[Z0]]
// CHECK-NEXT:   getelementptr i64, ptr [[TABLE]], i64 2
// CHECK-NEXT:   store i64 [[X1]]
// CHECK:        store i64 [[Z1]]
// CHECK:        store i64 [[X0]]
// CHECK-NEXT:   call void @fz_arrange_0_{{.*}}(ptr [[TABLE]], i64 2, i64 2)
// CHECK-NEXT:   call void @fz_copy_0_{{.*}}(ptr {{.*}}, ptr {{.*}}, ptr [[TABLE]], i64 2)
// CHECK-NEXT:   ret i32 0

// Where target and source have their neighbours along one dimension, rows are copied as a whole.
// CHECK-LABEL: define void @fz_copy_0_
// CHECK: call void @llvm.memcpy.p0.p0.i64
