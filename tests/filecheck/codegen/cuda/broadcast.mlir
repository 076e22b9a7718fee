// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// A column that is broadcast is loaded once a row; a row that is broadcast is one more operand.
#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d0)>
#row = affine_map<(d0, d1) -> (d1)>
func.func @add(%c: tensor<?xf32>, %r: tensor<?xf32>, %z: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = linalg.generic {indexing_maps = [#column, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%c, %r : tensor<?xf32>, tensor<?xf32>) outs(%z : tensor<?x?xf32>) {
  ^bb0(%ce: f32, %re: f32, %unused: f32):
    %s = arith.addf %ce, %re : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  func.return %0 : tensor<?x?xf32>
}

// CHECK: for (Index i0 = blockIdx.y * blockDim.y + threadIdx.y; i0 < n0; i0 += gridDim.y * blockDim.y) {
// CHECK-NEXT: const float v1 = a0[i0 * a0_s0];
// CHECK-NEXT: for (Index i1 = Lanes * (blockIdx.x * blockDim.x + threadIdx.x); i1 < n1; i1 += Lanes * (gridDim.x * blockDim.x)) {
// CHECK: load_pack<Lanes>(a1 + i1 * a1_s0, left2);
// CHECK-NOT: load_pack
// CHECK: v1 + x3.at[lane];
