// RUN: fuseir-opt %s -t llvm | filecheck %s

// Of a tile that is looked at for its extent only, the address is never read: it may have none.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @fill(%shape: !v, %z: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f64
  %n = memref.dim %shape, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    memref.store %one, %z[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK-LABEL: define internal i32 @fz_body_0_
// CHECK: [[EXTENT:%v\d+]] = getelementptr i64, ptr %a0, i64 1
// CHECK-NEXT: load i64, ptr [[EXTENT]]
// CHECK-NEXT: getelementptr i64, ptr %a0, i64 5
// CHECK-NEXT: load i64
// CHECK-NEXT: [[ADDRESS:%v\d+]] = getelementptr i64, ptr %a0, i64 3
// CHECK-NEXT: load ptr, ptr [[ADDRESS]]
