// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// Elements divided by their sum: what follows the sum is computed where the sum is finished, and kept in the device's memory for the next
// kernel. What depends on scalars of the launch alone is computed by each kernel that uses it.
#id = affine_map<(d0) -> (d0)>
#all = affine_map<(d0) -> ()>
func.func @normalize(%x: tensor<?xf64>, %y: tensor<?xf64>, %a: f64) -> tensor<?xf64> attributes {dist.privileges = ["read", "write"]} {
  %zero = arith.constant 0.0 : f64
  %b = arith.mulf %a, %a : f64
  %e = tensor.empty() : tensor<f64>
  %s0 = linalg.fill ins(%zero : f64) outs(%e : tensor<f64>) -> tensor<f64>
  %s = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s0 : tensor<f64>) {
  ^bb0(%xe: f64, %acc: f64):
    %0 = arith.addf %acc, %xe : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  %q = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel"]}
      ins(%x, %s : tensor<?xf64>, tensor<f64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %se: f64, %unused: f64):
    %0 = arith.divf %xe, %se : f64
    %1 = arith.mulf %0, %b : f64
    linalg.yield %1 : f64
  } -> tensor<?xf64>
  func.return %q : tensor<?xf64>
}

// CHECK-LABEL: void fz_rows_0(
// CHECK: const double [[TREE:v[0-9]+]] = team.fold(
// CHECK-NEXT: const double [[SUM:v[0-9]+]] = 0x0p+0 + [[TREE]];
// CHECK-NEXT: if (team.leads()) *kept0 = [[SUM]];
// CHECK-LABEL: void fz_finish_2(
// CHECK: if (team.leads()) *kept0 =
// CHECK-LABEL: void fz_map_3(
// CHECK: const double [[KEPT:v[0-9]+]] = *kept0;
// CHECK-NEXT: const double [[SQUARE:v[0-9]+]] = s0 * s0;
// CHECK: .at[lane] / [[KEPT]];
// CHECK: * [[SQUARE]];
