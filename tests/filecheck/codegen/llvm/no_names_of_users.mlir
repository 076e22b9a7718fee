// RUN: fuseir-opt %s -t llvm | filecheck %s

// Names that users give functions and values are not in the text; every symbol is made of a kind, a counter and a hash.
// CHECK-NOT: my_kernel
// CHECK-NOT: secret
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @my_kernel_name(%secret_x: !v, %secret_z: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %secret_x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %secret_e = memref.load %secret_x[%i] : !v
    memref.store %secret_e, %secret_z[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: define internal i32 @fz_body_0_{{[0-9a-f]+}}(
// CHECK-NOT: secret
// CHECK: define i32 @fz_task_1_{{[0-9a-f]+}}(
// CHECK-NOT: secret
// CHECK: declare void @free(ptr)
// CHECK-NOT: secret
