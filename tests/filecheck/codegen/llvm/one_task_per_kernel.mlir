// RUN: fuseir-opt %s -t llvm | filecheck %s

// Each kernel becomes one function of the kernels' binary interface. The loop over points is not in it: that is the same for all
// kernels, and gets the kernel's body, the number of its tiles, of the words that describe them, and the bytes of its workspace.
!v = memref<?xf64, strided<[?], offset: ?>>
!m = memref<?x?xi8, strided<[?, ?], offset: ?>>
func.func @first(%x: !v, %y: !m, %a: f64) {
  func.return
}
func.func @second(%x: !v) {
  func.return
}

// CHECK: define internal i32 @[[BODY:fz_body_0_[0-9a-f]+]](ptr readonly %a0, ptr readonly %a1, ptr %a2, i64 %a3) nounwind
// CHECK: define i32 @fz_task_1_{{.*}}(i64 %a0, i64 %a1, ptr readonly %a2, ptr readonly %a3, ptr readonly %a4) nounwind
// CHECK: call i32 @fz_drive_0_{{.*}}(i64 %a0, i64 %a1, ptr %a2, ptr %a3, ptr %a4, i64 2, i64 8, i64 0, ptr @[[BODY]])
// CHECK: define internal i32 @fz_body_2_
// CHECK: define i32 @fz_task_3_
// CHECK: i64 1, i64 3, i64 0, ptr @fz_body_2_
// CHECK: define i32 @fz_drive_0_
// No memory: a status, not a crash.
// CHECK: call ptr @malloc(
// CHECK: ret i32 1
// CHECK: call void @free(
