// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// Sums of columns: neighbouring threads have neighbouring columns, so that rows are read side by side; the lanes of the tree are above
// each other. Threads beyond the last column repeat it, since all of a block wait for each other, and store nothing.
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

// CHECK-LABEL: void fz_columns_0(
// CHECK: for (Index first = blockIdx.x * blockDim.x; first < a0_n1; first += gridDim.x * blockDim.x) {
// CHECK-NEXT: const ColumnTeam team = {first + Index(threadIdx.x) < a0_n1};
// CHECK-NEXT: const Index i0 = team.live ? first + Index(threadIdx.x) : a0_n1 - 1;
// CHECK: for (Index i1 = {{block[0-9]+}} + team.lane; i1 < {{stop[0-9]+}}; i1 += 32) {
// CHECK-NEXT: a0[i1 * a0_s0 + i0 * a0_s1];
// CHECK: if (team.leads())
// CHECK-NEXT: a1[i0 * a1_s0] =
// CHECK: __launch_bounds__(512) fz_columns_0_

// CHECK-LABEL: void fz_columns_1(
// CHECK: for (Index chunk = blockIdx.y; chunk < chunks; chunk += gridDim.y) {
// CHECK: if (team.live) partial0[(i0 * chunks + chunk) * 32 + team.lane] =
