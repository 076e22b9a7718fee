// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// The last generic reads both the first one's result and the sum of it over rows, which is a nest of its own. (Its second look at
// the sum is not needed: what can be simplified without fusion is.)
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#one = affine_map<(d0) -> (d0)>
func.func @between(%x: tensor<?x?xf64>, %r: tensor<?xf64>, %z: tensor<?x?xf64>) -> (tensor<?xf64>, tensor<?x?xf64>) {
  %p = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf64>) outs(%r : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%p : tensor<?xf64>) outs(%r : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.sqrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %s = linalg.generic {indexing_maps = [#id, #row, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %q, %q : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %c: f64, %u: f64):
    %0 = arith.divf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  func.return %q, %s : tensor<?xf64>, tensor<?x?xf64>
}

// CHECK-LABEL: @between
// CHECK-NEXT:    %p = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]}
// CHECK:         %q = linalg.generic {{.*}} iterator_types = ["parallel"]}
// CHECK:         %s = linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%x, %q : tensor<?x?xf64>, tensor<?xf64>)
