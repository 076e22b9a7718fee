// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// An element-wise kernel: a grid-stride loop over packs of 16 bytes. The launch's scalar is a parameter. One text is all versions: packs or
// single elements at any stride, indices of 32 or 64 bits.
#id = affine_map<(d0) -> (d0)>
func.func @axpy(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %unused: f64):
    %p = arith.mulf %a, %xe : f64
    %s = arith.addf %p, %ye : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

// CHECK-NOT: #include
// CHECK: struct alignas(sizeof(T) * Lanes) Pack {
// CHECK: template <typename Index, int Lanes>
// CHECK-NEXT: __device__ __forceinline__ void fz_map_0(const double *__restrict__ a0, const double *__restrict__ a1,
// CHECK-NEXT: double *__restrict__ a2, Index n0, Index a0_s0, Index a1_s0, Index a2_s0, double s0)
// CHECK: for (Index i0 = Lanes * (blockIdx.x * blockDim.x + threadIdx.x); i0 < n0; i0 += Lanes * (gridDim.x * blockDim.x)) {
// CHECK-NEXT: const Index left1 = n0 - i0;
// CHECK-NEXT: // Load.
// CHECK-NEXT: const auto x2 = load_pack<Lanes>(a0 + i0 * a0_s0, left1);
// CHECK-NEXT: const auto x3 = load_pack<Lanes>(a1 + i0 * a1_s0, left1);
// CHECK-NEXT: // Compute.
// CHECK-NEXT: Pack<double, Lanes> z4;
// CHECK-NEXT: #pragma unroll
// CHECK-NEXT: for (int lane = 0; lane < Lanes; ++lane) {
// CHECK-NEXT: const double v5 = s0 * x2.at[lane];
// CHECK-NEXT: const double v6 = v5 + x3.at[lane];
// CHECK-NEXT: z4.at[lane] = v6;
// CHECK-NEXT: }
// CHECK-NEXT: // Store.
// CHECK-NEXT: store_pack<Lanes>(a2 + i0 * a2_s0, z4, left1);
// CHECK: extern "C" __global__ void __launch_bounds__(256) fz_map_0_{{[0-9a-f]+}}(const double *__restrict__ a0,
// CHECK-NEXT: const double *__restrict__ a1, double *__restrict__ a2, int n0, int a0_s0, int a1_s0, int a2_s0, double s0)
// CHECK-NEXT: {
// CHECK-NEXT: fz_map_0<int, 1>(a0, a1, a2, n0, a0_s0, a1_s0, a2_s0, s0);
// CHECK: fz_map_0_{{[0-9a-f]+}}_packed(
// CHECK: fz_map_0<int, 2>(
