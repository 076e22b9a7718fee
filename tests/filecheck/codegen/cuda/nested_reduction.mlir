// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// The tree reduces dimension by dimension, so a sum over a matrix is a sum of its rows' sums: a warp or a block to a row, then one block.
#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
func.func @sum(%x: tensor<?x?xi64>, %z: tensor<i64>) -> tensor<i64> attributes {dist.privileges = ["read", "reduce<add>"]} {
  %p = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<?x?xi64>) outs(%z : tensor<i64>) {
  ^bb0(%a: i64, %acc: i64):
    %0 = arith.addi %acc, %a : i64
    linalg.yield %0 : i64
  } -> tensor<i64>
  func.return %p : tensor<i64>
}

// CHECK-LABEL: void fz_rows_0(const u64 *__restrict__ a0, u64 *__restrict__ partial0,
// CHECK: for (Index i0 = Team::first_item(); i0 < a0_n0; i0 += Team::items_at_a_time()) {
// CHECK-NEXT: // Reduce: each lane its own iterations.
// CHECK-NEXT: TreeFold<u64, add_bits<u64>, Index> tree1(0ull);
// CHECK: const u64 [[ROW:v[0-9]+]] = team.fold(tree1);
// CHECK-NEXT: if (team.leads()) partial0[i0] = [[ROW]];

// CHECK-LABEL: void fz_finish_1(u64 *__restrict__ a1, const u64 *__restrict__ partial0,
// CHECK: for (Index i0 = {{block[0-9]+}} + team.lane; i0 < {{stop[0-9]+}}; i0 += 32) {
// CHECK-NEXT: tree1.add(partial0[i0]);
// CHECK: if (team.leads())
// CHECK-NEXT: *a1 =
