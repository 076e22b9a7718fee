// RUN: fuseir-opt %s -p lower-kernels --split-input-file | filecheck %s

// Sums over rows: the reduction is the inner loop and the vectorised one.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func @rows(%x: tensor<?x?xf64>, %r: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "reduce<add>"]} {
  %p = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf64>) outs(%r : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p : tensor<?xf64>
}

// CHECK-LABEL: @rows
// CHECK:         "scf.parallel"
// CHECK-NEXT:    ^bb0(%[[I:.*]]: index):
// CHECK-NEXT:      %[[T:.*]] = "scf.parallel"
// CHECK-NEXT:      ^bb0(%[[J:.*]]: index):
// CHECK-NEXT:        memref.load %x[%[[I]], %[[J]]]
// CHECK:           }) {vector} : (index, index, index, f64) -> f64
// CHECK-NEXT:      memref.store %[[T]], %r[%[[I]]]
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }) : (index, index, index) -> ()

// -----

// Sums over columns: the loop over columns goes outside, and is the vectorised one.
#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @columns(%x: tensor<?x?xf64>, %c: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "reduce<add>"]} {
  %p = linalg.generic {indexing_maps = [#id, #col], iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<?x?xf64>) outs(%c : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p : tensor<?xf64>
}

// CHECK-LABEL: @columns
// CHECK:         "scf.parallel"
// CHECK-NEXT:    ^bb0(%[[J:.*]]: index):
// CHECK-NEXT:      %[[T:.*]] = "scf.parallel"
// CHECK-NEXT:      ^bb0(%[[I:.*]]: index):
// CHECK-NEXT:        memref.load %x[%[[I]], %[[J]]]
// CHECK:           }) : (index, index, index, f64) -> f64
// CHECK-NEXT:      memref.store %[[T]], %c[%[[J]]]
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }) {vector} : (index, index, index) -> ()

// -----

// A sum over everything reduces the last dimension first; a nest may store elements, sums of rows and the sum of all at once.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#none = affine_map<(d0, d1) -> ()>
func.func @all(%x: tensor<?x?xf64>, %z: tensor<?x?xf64>, %r: tensor<?xf64>, %s: tensor<f64>)
    -> (tensor<?x?xf64>, tensor<?xf64>, tensor<f64>)
    attributes {dist.privileges = ["read", "write", "reduce<add>", "reduce<add>"]} {
  %p, %q, %t = "linalg.generic"(%x, %z, %r, %s) <{indexing_maps = [#id, #id, #row, #none],
      iterator_types = [#linalg.iterator_type<reduction>, #linalg.iterator_type<reduction>],
      operandSegmentSizes = array<i32: 1, 3>}> ({
  ^bb0(%a: f64, %u: f64, %acc: f64, %bcc: f64):
    %0 = math.sqrt %a : f64
    %1 = arith.addf %acc, %0 : f64
    %2 = arith.addf %bcc, %0 : f64
    linalg.yield %0, %1, %2 : f64, f64, f64
  }) : (tensor<?x?xf64>, tensor<?x?xf64>, tensor<?xf64>, tensor<f64>) -> (tensor<?x?xf64>, tensor<?xf64>, tensor<f64>)
  func.return %p, %q, %t : tensor<?x?xf64>, tensor<?xf64>, tensor<f64>
}

// CHECK-LABEL: @all
// CHECK:         %[[S:.*]] = "scf.parallel"
// CHECK-NEXT:    ^bb0(%[[I:.*]]: index):
// CHECK-NEXT:      %[[ROW:.*]], %[[ROWAGAIN:.*]] = "scf.parallel"
// CHECK:             %[[E:.*]] = math.sqrt
// CHECK-NEXT:        memref.store %[[E]], %z
// CHECK-NEXT:        scf.reduce(%[[E]], %[[E]] : f64, f64)
// CHECK:           }) {vector}
// CHECK-NEXT:      memref.store %[[ROW]], %r[%[[I]]]
// CHECK-NEXT:      scf.reduce(%[[ROWAGAIN]] : f64)
// CHECK:         memref.store %[[S]], %s[]
