// RUN: fuseir-opt %s -t llvm | filecheck %s

// Both tiles move along both loops, so any order will do: the one that is best for the strides at hand is found when the kernel runs.
// Extents and strides are then those of the table.
!m = memref<?x?xf64, strided<[?, ?], offset: ?>>
func.func @negate(%x: !m, %z: !m) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %z, %c0 : !m
  %m = memref.dim %z, %c1 : !m
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    "scf.parallel"(%c0, %m, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
    ^bb0(%j: index):
      %e = memref.load %x[%i, %j] : !m
      %f = arith.negf %e : f64
      memref.store %f, %z[%i, %j] : !m
      scf.reduce
    }) {vector} : (index, index, index) -> ()
    scf.reduce
  }) : (index, index, index) -> ()
  func.return
}

// CHECK-LABEL: define internal i32 @fz_body_0_
// CHECK: [[TABLE:%v\d+]] = alloca [6 x i64], align 8
// CHECK: call void @fz_arrange_0_{{.*}}(ptr [[TABLE]], i64 2, i64 2)
// CHECK-NEXT: getelementptr i64, ptr [[TABLE]], i64 0
// CHECK-NEXT: [[OUTER:%v\d+]] = load i64
// CHECK-NEXT: getelementptr i64, ptr [[TABLE]], i64 3
// CHECK-NEXT: [[INNER:%v\d+]] = load i64
// CHECK-NEXT: getelementptr i64, ptr [[TABLE]], i64 1
// CHECK-NEXT: [[X0:%v\d+]] = load i64
// CHECK-NEXT: getelementptr i64, ptr [[TABLE]], i64 4
// CHECK-NEXT: [[X1:%v\d+]] = load i64
// CHECK: icmp eq i64 [[X1]], 8
// CHECK: icmp slt i64 [[I:%v\d+]], [[OUTER]]
// CHECK: mul i64 [[I]], [[X0]]
// CHECK: i64 [[INNER]], i64 256

// Dimensions that continue the innermost one become part of it.
// CHECK-LABEL: define void @fz_arrange_0_
