// RUN: fuseir-opt %s -p lower-kernels --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p 'lower-kernels{share-loops=false}' --split-input-file | filecheck %s --check-prefix=ALONE

// Two passes over each row, and between them what the row folds to: one loop over rows. %m and %e need no memory of their own: %m is a value of
// the iteration, %e stands where the quotients will.
#both = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#id = affine_map<(d0) -> (d0)>
func.func @normalise(%x: tensor<?x?xf64>, %old: tensor<?xf64>, %y: tensor<?x?xf64>) -> tensor<?x?xf64>
    attributes {dist.privileges = ["read", "read", "write"]} {
  %zero = arith.constant -0.0 : f64
  %f = linalg.fill ins(%zero : f64) outs(%old : tensor<?xf64>) -> tensor<?xf64>
  %e, %s = linalg.generic {indexing_maps = [#both, #both, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf64>) outs(%y, %f : tensor<?x?xf64>, tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64, %acc: f64):
    %0 = math.exp %a : f64
    %1 = arith.addf %acc, %0 : f64
    linalg.yield %0, %1 : f64, f64
  } -> (tensor<?x?xf64>, tensor<?xf64>)
  %m = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%old, %s : tensor<?xf64>, tensor<?xf64>) outs(%old : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.addf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#both, #row, #both], iterator_types = ["parallel", "parallel"]}
      ins(%e, %m : tensor<?x?xf64>, tensor<?xf64>) outs(%y : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.divf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  func.return %q : tensor<?x?xf64>
}

// CHECK-LABEL: @normalise
// CHECK-NOT:     memref.alloc
// CHECK:         "scf.parallel"(%{{.*}}, %[[ROWS:.*]], %{{.*}}) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
// CHECK-NEXT:    ^bb0(%[[I:.*]]: index):
// CHECK-NEXT:      %[[S:.*]] = "scf.parallel"
// CHECK:             %[[E:.*]] = math.exp
// CHECK-NEXT:        memref.store %[[E]], %y[%[[I]], %{{.*}}]
// CHECK:           }) {vector} : (index, index, index, f64) -> f64
// CHECK:           %[[OLD:.*]] = memref.load %old[%[[I]]]
// CHECK-NEXT:      %[[M:.*]] = arith.addf %[[OLD]]
// CHECK-NEXT:      "scf.parallel"
// CHECK:             %[[E2:.*]] = memref.load %y[%[[I]], %{{.*}}]
// CHECK-NEXT:        %[[Q:.*]] = arith.divf %[[E2]], %[[M]]
// CHECK-NEXT:        memref.store %[[Q]], %y[%[[I]], %{{.*}}]
// CHECK:           }) {vector}
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }) : (index, index, index) -> ()
// CHECK-NEXT:    func.return

// ALONE-LABEL: @normalise
// ALONE:         memref.alloc
// ALONE:         "scf.parallel"
// ALONE:         math.exp
// ALONE:         }) : (index, index, index) -> ()
// ALONE-NEXT:    "scf.parallel"
// ALONE:         }) {vector} : (index, index, index) -> ()
// ALONE-NEXT:    "scf.parallel"
// ALONE:         arith.divf

// -----

// The second nest reads other rows than the first has made by then.
#both = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
func.func @mirror(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?x?xf64>)
    attributes {dist.privileges = ["read", "write", "write"]} {
  %p = linalg.generic {indexing_maps = [#both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf64>) outs(%y : tensor<?x?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.exp %a : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  %q = linalg.generic {indexing_maps = [#both, #swap, #both], iterator_types = ["parallel", "parallel"]}
      ins(%p, %p : tensor<?x?xf64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.addf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  func.return %p, %q : tensor<?x?xf64>, tensor<?x?xf64>
}

// CHECK-LABEL: @mirror
// CHECK:         math.exp
// CHECK:         }) : (index, index, index) -> ()
// CHECK-NEXT:    "scf.parallel"
// CHECK:         arith.addf

// -----

// Along columns the vectorised loop is outside: it is not shared.
#both = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @columns(%x: tensor<?x?xf64>, %s: tensor<?xf64>, %y: tensor<?x?xf64>) -> (tensor<?xf64>, tensor<?x?xf64>)
    attributes {dist.privileges = ["read", "read_write", "write"]} {
  %f = linalg.generic {indexing_maps = [#both, #col], iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<?x?xf64>) outs(%s : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#both, #col, #both], iterator_types = ["parallel", "parallel"]}
      ins(%x, %f : tensor<?x?xf64>, tensor<?xf64>) outs(%y : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.divf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  func.return %f, %q : tensor<?xf64>, tensor<?x?xf64>
}

// CHECK-LABEL: @columns
// CHECK:         arith.addf
// CHECK:         }) {vector} : (index, index, index) -> ()
// CHECK-NEXT:    "scf.parallel"
// CHECK:         arith.divf
// CHECK:           }) {vector}
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }) : (index, index, index) -> ()

// -----

// A number that a nest of no loops makes is a value for those after it.
#none = affine_map<() -> ()>
#one = affine_map<(d0) -> (d0)>
#all = affine_map<(d0) -> ()>
func.func @scale(%a: tensor<f64>, %b: tensor<f64>, %t: tensor<f64>, %x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64>
    attributes {dist.privileges = ["read", "read", "no_access", "read", "write"]} {
  %q = linalg.generic {indexing_maps = [#none, #none, #none], iterator_types = []}
      ins(%a, %b : tensor<f64>, tensor<f64>) outs(%t : tensor<f64>) {
  ^bb0(%ae: f64, %be: f64, %u: f64):
    %0 = arith.divf %ae, %be : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  %r = linalg.generic {indexing_maps = [#one, #all, #one], iterator_types = ["parallel"]}
      ins(%x, %q : tensor<?xf64>, tensor<f64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %qe: f64, %u: f64):
    %0 = arith.mulf %xe, %qe : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

// CHECK-LABEL: @scale
// CHECK-NOT:     memref.alloc
// CHECK:         %[[Q:.*]] = arith.divf
// CHECK-NOT:     memref.store
// CHECK:         "scf.parallel"
// CHECK:         %[[X:.*]] = memref.load %x
// CHECK-NEXT:    %{{.*}} = arith.mulf %[[X]], %[[Q]]
// ALONE-LABEL: @scale
