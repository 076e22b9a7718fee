// RUN: fuseir-opt %s -p lower-kernels --split-input-file | filecheck %s

// One loop a dimension, the last one marked for vectors; the extents are those of the first parameter that has them.
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @axpy(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>, %z: tensor<?x?xf64>, %a: f64) -> tensor<?x?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?x?xf64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %u: f64):
    %p = arith.mulf %a, %xe : f64
    %s = arith.addf %p, %ye : f64
    linalg.yield %s : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

// CHECK-LABEL: @axpy(%x: memref<?x?xf64, strided<[?, ?], offset: ?>>, %y: memref<?x?xf64, strided<[?, ?], offset: ?>>,
// CHECK-SAME:        %z: memref<?x?xf64, strided<[?, ?], offset: ?>>, %a: f64) {
// CHECK-NEXT:    %[[C0:.*]] = arith.constant 0 : index
// CHECK-NEXT:    %[[N:.*]] = memref.dim %x, %[[C0]]
// CHECK-NEXT:    %[[C1:.*]] = arith.constant 1 : index
// CHECK-NEXT:    %[[M:.*]] = memref.dim %x, %[[C1]]
// CHECK-NEXT:    "scf.parallel"(%[[C0]], %[[N]], %[[C1]])
// CHECK-NEXT:    ^bb0(%[[I:.*]]: index):
// CHECK-NEXT:      "scf.parallel"(%[[C0]], %[[M]], %[[C1]])
// CHECK-NEXT:      ^bb0(%[[J:.*]]: index):
// CHECK-NEXT:        %[[X:.*]] = memref.load %x[%[[I]], %[[J]]]
// CHECK-NEXT:        %[[Y:.*]] = memref.load %y[%[[I]], %[[J]]]
// CHECK-NEXT:        %[[P:.*]] = arith.mulf %a, %[[X]] : f64
// CHECK-NEXT:        %[[S:.*]] = arith.addf %[[P]], %[[Y]] : f64
// CHECK-NEXT:        memref.store %[[S]], %z[%[[I]], %[[J]]]
// CHECK-NEXT:        scf.reduce
// CHECK-NEXT:      }) {vector}
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }) : (index, index, index) -> ()
// CHECK-NEXT:    func.return

// -----

// A kernel on single elements has no loops.
#point = affine_map<() -> ()>
func.func @rank_zero(%x: tensor<f64>, %z: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#point, #point], iterator_types = []} ins(%x : tensor<f64>) outs(%z : tensor<f64>) {
  ^bb0(%xe: f64, %u: f64):
    %s = math.sqrt %xe : f64
    linalg.yield %s : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}

// CHECK-LABEL: @rank_zero(%x: memref<f64, strided<[], offset: ?>>, %z: memref<f64, strided<[], offset: ?>>) {
// CHECK-NEXT:    %[[X:.*]] = memref.load %x[]
// CHECK-NEXT:    %[[S:.*]] = math.sqrt %[[X]]
// CHECK-NEXT:    memref.store %[[S]], %z[]
// CHECK-NEXT:    func.return

// -----

// Functions without a body, and functions that take no tensors, are no kernels.
func.func private @opaque(tensor<?xf64>) -> tensor<?xf64>
func.func @scalar(%a: f64) -> f64 {
  func.return %a : f64
}

// CHECK: func.func private @opaque(tensor<?xf64>) -> tensor<?xf64>
// CHECK: func.func @scalar(%a: f64) -> f64
