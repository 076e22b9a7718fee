// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// The old contents are read at the element that is overwritten: one nest, though the reader stands after the update.
#id = affine_map<(d0) -> (d0)>
func.func @same_element(%x: tensor<?xf64>, %z: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %p = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : tensor<?xf64>) {
  ^bb0(%a: f64):
    %0 = math.sqrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = arith.negf %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p, %q : tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @same_element
// CHECK-NEXT:    %p, %q = linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%x, %z : tensor<?xf64>, tensor<?xf64>)
// CHECK-NOT:     linalg.generic

// -----

// Another iteration space reads the old contents: it goes first, so that the update needs no copy.
#id = affine_map<(d0) -> (d0)>
#row = affine_map<(d0, d1) -> (d0)>
#both = affine_map<(d0, d1) -> (d0, d1)>
func.func @reader_first(%x: tensor<?xf64>, %z: tensor<?x?xf64>) -> (tensor<?xf64>, tensor<?x?xf64>) {
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%x : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.sqrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#row, #both], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: f64, %u: f64):
    linalg.yield %a : f64
  } -> tensor<?x?xf64>
  func.return %p, %q : tensor<?xf64>, tensor<?x?xf64>
}

// CHECK-LABEL: @reader_first
// CHECK-NEXT:    %q = linalg.generic
// CHECK:         %p = linalg.generic
