// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// Neighbours of a grid's points are views of their own. Rows of blocks and threads go along both dimensions, so that a row that neighbours
// share is in the first cache.
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @star(%n: tensor<?x?xf64>, %w: tensor<?x?xf64>, %e: tensor<?x?xf64>, %s: tensor<?x?xf64>, %z: tensor<?x?xf64>)
    -> tensor<?x?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%n, %w, %e, %s : tensor<?x?xf64>, tensor<?x?xf64>, tensor<?x?xf64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %c: f64, %d: f64, %unused: f64):
    %quarter = arith.constant 0.25 : f64
    %ab = arith.addf %a, %b : f64
    %abc = arith.addf %ab, %c : f64
    %abcd = arith.addf %abc, %d : f64
    %mean = arith.mulf %abcd, %quarter : f64
    linalg.yield %mean : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

// CHECK: for (Index i0 = blockIdx.y * blockDim.y + threadIdx.y; i0 < n0; i0 += gridDim.y * blockDim.y) {
// CHECK-NEXT: for (Index i1 = Lanes * (blockIdx.x * blockDim.x + threadIdx.x); i1 < n1; i1 += Lanes * (gridDim.x * blockDim.x)) {
// CHECK: load_pack<Lanes>(a0 + i0 * a0_s0 + i1 * a0_s1, left1);
// CHECK-NEXT: load_pack<Lanes>(a1 + i0 * a1_s0 + i1 * a1_s1, left1);
// CHECK-NEXT: load_pack<Lanes>(a2 + i0 * a2_s0 + i1 * a2_s1, left1);
// CHECK-NEXT: load_pack<Lanes>(a3 + i0 * a3_s0 + i1 * a3_s1, left1);
// CHECK: const double [[MEAN:v[0-9]+]] = v{{[0-9]+}} * 0x1p-2;
// CHECK: .at[lane] = [[MEAN]];
