// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// A sum of all elements, added to what the store held: one launch where that is short, else warps fold chunks, and a block folds the
// nodes of the tree that they leave. Either launch ends with what comes after the loop.
func.func @sum(%x: tensor<?xf64>, %z: tensor<f64>) -> tensor<f64> attributes {dist.privileges = ["read", "read_write"]} {
  %p = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %p : tensor<f64>
}

// CHECK-LABEL: void fz_rows_0(
// CHECK: const Team team;
// CHECK-NEXT: // Reduce: each lane its own iterations.
// CHECK-NEXT: TreeFold<double, add<double>, Index> tree1((-0x0p+0));
// CHECK-NEXT: const Index end3 = team.end(a0_n0, Index(1024));
// CHECK-NEXT: for (Index block2 = team.begin(a0_n0, Index(1024)); block2 < end3; block2 += 1024) {
// CHECK-NEXT: const Index stop4 = least(end3, block2 + 1024);
// CHECK-NEXT: #pragma unroll 4
// CHECK-NEXT: for (Index i0 = block2 + team.lane; i0 < stop4; i0 += 32) {
// CHECK-NEXT: const double v5 = a0[i0 * a0_s0];
// CHECK-NEXT: tree1.add(v5);
// CHECK-NEXT: }
// CHECK-NEXT: tree1.end_block();
// CHECK-NEXT: }
// CHECK-NEXT: const double v6 = team.fold(tree1);
// CHECK-NEXT: const double v7 = *a1;
// CHECK-NEXT: const double v8 = v7 + v6;
// CHECK-NEXT: team.sync();
// CHECK-NEXT: if (team.leads())
// CHECK-NEXT: *a1 = v8;
// CHECK: fz_rows_0<int, WarpTeam>(
// CHECK: fz_rows_0<int, BlockTeam>(

// CHECK-LABEL: void fz_rows_1(
// CHECK: for (Index chunk = blockIdx.x * blockDim.y + threadIdx.y; chunk < chunks; chunk += gridDim.x * blockDim.y) {
// CHECK: chunk * span
// CHECK: partial0[chunk * 32 + team.lane] = tree1.node();

// CHECK-LABEL: void fz_finish_2(
// CHECK: for (Index chunk = team.begin(chunks, Index(1)); chunk < team.end(chunks, Index(1)); ++chunk) {
// CHECK-NEXT: tree1.push(partial0[chunk * 32 + team.lane]);
// CHECK: team.fold(tree1);
// CHECK: *a1 =
