// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// Rows that several loops go through: a warp or a block does all of a row. The row's maximum and sum are values that all of its threads have.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func @softmax(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>) -> tensor<?x?xf64> attributes {dist.privileges = ["read", "write"]} {
  %c0 = arith.constant 0 : index
  %low = arith.constant 0xFFF0000000000000 : f64
  %zero = arith.constant 0.0 : f64
  %n = tensor.dim %x, %c0 : tensor<?x?xf64>
  %e = tensor.empty(%n) : tensor<?xf64>
  %m0 = linalg.fill ins(%low : f64) outs(%e : tensor<?xf64>) -> tensor<?xf64>
  %m = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf64>) outs(%m0 : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.maximumf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %s0 = linalg.fill ins(%zero : f64) outs(%e : tensor<?xf64>) -> tensor<?xf64>
  %p, %s = linalg.generic {indexing_maps = [#id, #row, #id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x, %m : tensor<?x?xf64>, tensor<?xf64>) outs(%y, %s0 : tensor<?x?xf64>, tensor<?xf64>) {
  ^bb0(%a: f64, %top: f64, %unused: f64, %acc: f64):
    %0 = arith.subf %a, %top : f64
    %1 = math.exp %0 : f64
    %2 = arith.addf %acc, %1 : f64
    linalg.yield %1, %2 : f64, f64
  } -> (tensor<?x?xf64>, tensor<?xf64>)
  %q = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %s : tensor<?x?xf64>, tensor<?xf64>) outs(%y : tensor<?x?xf64>) {
  ^bb0(%a: f64, %total: f64, %unused: f64):
    %0 = arith.divf %a, %total : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  func.return %q : tensor<?x?xf64>
}

// CHECK-LABEL: void fz_rows_0(const double *__restrict__ a0, double *__restrict__ a1,
// CHECK: for (Index i0 = Team::first_item(); i0 < a0_n0; i0 += Team::items_at_a_time()) {
// CHECK-NEXT: // Reduce: each lane its own iterations.
// CHECK-NEXT: TreeFold<double, maximum<double>, Index> tree1(
// CHECK: const double [[MAX:v[0-9]+]] = team.fold(tree1);
// CHECK: exp(
// CHECK: a1[i0 * a1_s0 + i1 * a1_s1] =
// CHECK: const double [[SUM:v[0-9]+]] = team.fold(
// What one thread stored another one may load.
// CHECK: team.sync();
// CHECK: for (Index i1 = team.first(); i1 < a0_n1; i1 += team.step()) {
// CHECK-NEXT: const double [[E:v[0-9]+]] = a1[i0 * a1_s0 + i1 * a1_s1];
// CHECK-NEXT: const double [[Q:v[0-9]+]] = [[E]] / {{v[0-9]+}};
// CHECK-NEXT: a1[i0 * a1_s0 + i1 * a1_s1] = [[Q]];
// CHECK-NOT: fz_finish
