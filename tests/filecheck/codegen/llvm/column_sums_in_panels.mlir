// RUN: fuseir-opt %s -p lower-kernels -t llvm | filecheck %s

// Sums of columns: a vector loop with a reduction inside goes over panels of 512 columns. Memory is read row by row; a row is folded into one
// of the 32 rows of the panel's partial, four rows of a block at a time.
#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @columns(%x: tensor<?x?xf64>, %c: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "reduce<add>"]} {
  %p = linalg.generic {indexing_maps = [#id, #col], iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<?x?xf64>) outs(%c : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p : tensor<?xf64>
}

// CHECK-LABEL: define internal i32 @fz_body_0_
// CHECK: sub i64 {{.*}}
// CHECK-NEXT: call i64 @llvm.smin.i64({{.*}}, i64 512)
// Groups of 128 rows: for each of 32 lanes, up to four rows.
// CHECK: call i64 @llvm.smin.i64({{.*}}, i64 32)
// CHECK: add i64 {{.*}}, 96
// CHECK-NEXT: [[EXISTS:%v\d+]] = icmp slt i64
// CHECK-NEXT: select i1 [[EXISTS]]
// The first rows of a block do not look at what the partial holds.
// CHECK: [[FIRST:%v\d+]] = icmp ult i64 {{.*}}, 32
// CHECK: load <16 x double>, ptr {{.*}}, align 1
// CHECK: load <16 x double>, ptr {{.*}}, align 1
// CHECK: load <16 x double>, ptr {{.*}}, align 1
// CHECK: load <16 x double>, ptr {{.*}}, align 1
// CHECK: [[HELD:%v\d+]] = load <16 x double>, ptr [[PLACE:%v\d+]], align 64
// CHECK-NEXT: [[S0:%v\d+]] = select i1 [[FIRST]], <16 x double> splat (double 0x8000000000000000), <16 x double> [[HELD]]
// CHECK-NEXT: [[S1:%v\d+]] = fadd <16 x double> [[S0]]
// CHECK: [[S2:%v\d+]] = fadd <16 x double> [[S1]]
// CHECK: [[S3:%v\d+]] = fadd <16 x double> [[S2]]
// CHECK-NEXT: [[E4:%v\d+]] = select i1 [[EXISTS]]
// CHECK-NEXT: [[S4:%v\d+]] = fadd <16 x double> [[S3]], [[E4]]
// CHECK-NEXT: store <16 x double> [[S4]], ptr [[PLACE]], align 64
// CHECK: call void @fz_pushpanel_0_
// CHECK: call void @fz_foldpanel_0_
