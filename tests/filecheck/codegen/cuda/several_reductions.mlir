// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// Sums and maxima of rows, in one pass over them: two trees.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func @both(%x: tensor<?x?xf32>, %s: tensor<?xf32>, %m: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>)
    attributes {dist.privileges = ["read", "reduce<add>", "reduce<max>"]} {
  %p, %q = linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%s, %m : tensor<?xf32>, tensor<?xf32>) {
  ^bb0(%a: f32, %acc: f32, %top: f32):
    %0 = arith.addf %acc, %a : f32
    %1 = arith.maximumf %top, %a : f32
    linalg.yield %0, %1 : f32, f32
  } -> (tensor<?xf32>, tensor<?xf32>)
  func.return %p, %q : tensor<?xf32>, tensor<?xf32>
}

// CHECK-LABEL: void fz_rows_0(
// CHECK: for (Index i0 = Team::first_item(); i0 < a0_n0; i0 += Team::items_at_a_time()) {
// CHECK-NEXT: // Reduce: each lane its own iterations.
// CHECK-NEXT: TreeFold<float, add<float>, Index> tree1((-0x0p+0f));
// CHECK-NEXT: TreeFold<float, maximum<float>, Index> tree2(__int_as_float(-0x800000));
// CHECK: const float [[E:v[0-9]+]] = a0[i0 * a0_s0 + i1 * a0_s1];
// CHECK-NEXT: tree1.add([[E]]);
// CHECK-NEXT: tree2.add([[E]]);
// CHECK: team.fold(tree1);
// CHECK: team.fold(tree2);

// Two buffers lie between the kernels of the long way.
// CHECK: partial0[(i0 * chunks + chunk) * 32 + team.lane] = {{tree[0-9]+}}.node();
// CHECK-NEXT: partial1[(i0 * chunks + chunk) * 32 + team.lane] = {{tree[0-9]+}}.node();
