// RUN: fuseir-opt %s -p lower-kernels -t llvm | filecheck %s

// The tree T: the vector loop folds 32 lanes, every 1024 iterations a finished block is pushed onto the stack of blocks, and at the end the
// rest of the tree is folded. Lanes beyond the end count as the identity, which is -0.0 for sums.
func.func @sum(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%xe: f64, %acc: f64):
    %0 = arith.addf %acc, %xe : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}

// CHECK-LABEL: define internal i32 @fz_body_0_
// The vector of partial sums is a variable that becomes registers; the stack of blocks lies in the workspace.
// CHECK: [[PARTIAL:%v\d+]] = alloca <32 x double>, align 64
// CHECK: [[STACK:%v\d+]] = getelementptr i8, ptr %a2, i64 0
// CHECK: store <32 x double> splat (double 0x8000000000000000), ptr {{.*}}, align 64
// CHECK: [[E:%v\d+]] = load <32 x double>, ptr {{.*}}, align 1
// CHECK: [[BEFORE:%v\d+]] = load <32 x double>, ptr [[PARTIAL]], align 64
// CHECK: [[AFTER:%v\d+]] = fadd <32 x double> [[BEFORE]], [[E]]
// CHECK: store <32 x double> [[AFTER]], ptr [[PARTIAL]], align 64
// CHECK: [[STEP:%v\d+]] = and i64 {{.*}}, 1023
// CHECK: icmp eq i64 [[STEP]], 0
// CHECK: call void @fz_push_0_{{.*}}(ptr [[STACK]], i64 {{.*}}, <32 x double>
// CHECK: [[MASK:%v\d+]] = icmp ugt <32 x i8>
// CHECK: select <32 x i1> [[MASK]], <32 x double> {{.*}}, <32 x double> splat (double 0x8000000000000000)
// CHECK: call double @fz_fold_0_{{.*}}(ptr [[STACK]], i64 {{.*}}, <32 x double>
// Its workspace: 48 levels of 32 lanes, and a buffer for elements that are not neighbours.
// CHECK: call i32 @fz_drive_0_{{.*}}, i64 2, i64 4, i64 14336, ptr @fz_body_0_
