// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// Sums over rows need the loop over rows outside, sums over columns inside.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @rows_and_columns(%x: tensor<?x?xf64>, %r: tensor<?xf64>, %c: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %p = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf64>) outs(%r : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #col], iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<?x?xf64>) outs(%c : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p, %q : tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @rows_and_columns
// CHECK-NEXT:    %p = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]}
// CHECK:         %q = linalg.generic {{.*}} iterator_types = ["reduction", "parallel"]}

// -----

// A generic that asks for both at once is taken apart.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @split(%x: tensor<?x?xf64>, %r: tensor<?xf64>, %c: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %p, %q = "linalg.generic"(%x, %r, %c) <{indexing_maps = [#id, #row, #col],
      iterator_types = [#linalg.iterator_type<reduction>, #linalg.iterator_type<reduction>],
      operandSegmentSizes = array<i32: 1, 2>}> ({
  ^bb0(%a: f64, %acc: f64, %bcc: f64):
    %0 = math.sqrt %a : f64
    %1 = arith.addf %acc, %0 : f64
    %2 = arith.addf %bcc, %0 : f64
    linalg.yield %1, %2 : f64, f64
  }) : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
  func.return %p, %q : tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @split
// CHECK-NEXT:    %p = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} {{.*}} outs(%r : tensor<?xf64>)
// CHECK:         %q = linalg.generic {{.*}} iterator_types = ["reduction", "parallel"]} {{.*}} outs(%c : tensor<?xf64>)
