// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// An element and its mirror image: at no point are both made. (The producer's second look at its operand goes all the same.)
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
func.func @symmetric(%x: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %p = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %x : tensor<?x?xf64>, tensor<?x?xf64>) outs(%x : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = math.exp %a : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  %q = linalg.generic {indexing_maps = [#id, #swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %p : tensor<?x?xf64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.addf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  func.return %q : tensor<?x?xf64>
}

// CHECK-LABEL: @symmetric
// CHECK-NEXT:    %p = linalg.generic {{.*}} ins(%x : tensor<?x?xf64>)
// CHECK:         %q = linalg.generic {{.*}} ins(%p, %p :
