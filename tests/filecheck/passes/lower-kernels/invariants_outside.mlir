// RUN: fuseir-opt %s -p lower-kernels --split-input-file | filecheck %s

// What depends on the row alone is loaded and computed once a row; what depends on nothing, before the loops. Constants are made
// once for the whole kernel.
#row = affine_map<(d0, d1) -> (d0)>
#none = affine_map<(d0, d1) -> ()>
#both = affine_map<(d0, d1) -> (d0, d1)>
func.func @broadcast(%x: tensor<?xf64>, %s: tensor<f64>, %y: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %r = linalg.generic {indexing_maps = [#row, #none, #both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s, %y : tensor<?xf64>, tensor<f64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%xe: f64, %se: f64, %ye: f64, %u: f64):
    %two = arith.constant 2.0 : f64
    %0 = arith.mulf %se, %two : f64
    %1 = math.exp %xe : f64
    %2 = arith.mulf %ye, %1 : f64
    %3 = arith.addf %2, %0 : f64
    linalg.yield %3 : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

// CHECK-LABEL: @broadcast
// CHECK:         %[[S:.*]] = memref.load %s[]
// CHECK-NEXT:    %[[TWO:.*]] = arith.constant 2.000000e+00 : f64
// CHECK-NEXT:    %[[S2:.*]] = arith.mulf %[[S]], %[[TWO]]
// CHECK:         "scf.parallel"
// CHECK-NEXT:    ^bb0(%[[I:.*]]: index):
// CHECK-NEXT:      %[[X:.*]] = memref.load %x[%[[I]]]
// CHECK-NEXT:      %[[E:.*]] = math.exp %[[X]]
// CHECK-NEXT:      "scf.parallel"
// CHECK-NEXT:      ^bb0(%[[J:.*]]: index):
// CHECK-NEXT:        %[[Y:.*]] = memref.load %y[%[[I]], %[[J]]]
// CHECK-NEXT:        %[[P:.*]] = arith.mulf %[[Y]], %[[E]]
// CHECK-NEXT:        arith.addf %[[P]], %[[S2]]
