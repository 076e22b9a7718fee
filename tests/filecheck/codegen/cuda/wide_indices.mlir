// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// Each kernel has versions whose indices, extents and strides are 64 bits wide, for what 32 do not reach. Packs are as many elements as
// 16 bytes hold of the widest type.
#id = affine_map<(d0) -> (d0)>
func.func @halves(%x: tensor<?xf32>, %z: tensor<?xi8>) -> tensor<?xi8> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%z : tensor<?xi8>) {
  ^bb0(%e: f32, %unused: i8):
    %i = arith.fptosi %e : f32 to i8
    linalg.yield %i : i8
  } -> tensor<?xi8>
  func.return %r : tensor<?xi8>
}

// CHECK: saturate_signed<u8>(x{{[0-9]+}}.at[lane], 0x1p+7f)
// CHECK: _packed(const float *__restrict__ a0,
// CHECK-NEXT: u8 *__restrict__ a1, int n0, int a0_s0, int a1_s0)
// CHECK: fz_map_0<int, 4>(
// CHECK: _wide(const float *__restrict__ a0,
// CHECK-NEXT: u8 *__restrict__ a1, s64 n0, s64 a0_s0, s64 a1_s0)
// CHECK: fz_map_0<s64, 1>(
// CHECK: _packed_wide(const float *__restrict__ a0,
// CHECK: fz_map_0<s64, 4>(
