// RUN: fuseir-opt %s -p lower-kernels --split-input-file | filecheck %s

// The update is ready before the mirror images have been read: it is made in scratch memory and copied at the end.
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
func.func @late_reader(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %p = linalg.generic {indexing_maps = [#id, #swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %x : tensor<?x?xf64>, tensor<?x?xf64>) outs(%x : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.addf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  func.return %p : tensor<?x?xf64>
}

// CHECK-LABEL: @late_reader
// CHECK:         %[[T:.*]] = memref.alloc(%{{.*}}, %{{.*}}) : memref<?x?xf64>
// CHECK:         %[[S:.*]] = arith.addf
// CHECK-NEXT:    memref.store %[[S]], %[[T]][%{{.*}}, %{{.*}}] : memref<?x?xf64>
// CHECK:         %[[C:.*]] = memref.load %[[T]]
// CHECK-NEXT:    memref.store %[[C]], %x
// CHECK:         memref.dealloc %[[T]] : memref<?x?xf64>
// CHECK-NEXT:    func.return

// -----

// A tensor between two nests that no parameter can hold: it has the rows of one and the columns of another.
#both = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
#row = affine_map<(d0, d1) -> (d0)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @between(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf64>
  %m = tensor.dim %y, %c0 : tensor<?xf64>
  %t = tensor.empty(%n, %m) : tensor<?x?xf64>
  %outer = linalg.generic {indexing_maps = [#row, #col, #both], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%t : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.mulf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?x?xf64>
  %sum = linalg.generic {indexing_maps = [#both, #row], iterator_types = ["parallel", "reduction"]}
      ins(%outer : tensor<?x?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %sum : tensor<?xf64>
}

// CHECK-LABEL: @between
// CHECK:         %[[N:.*]] = memref.dim %x
// CHECK:         %[[M:.*]] = memref.dim %y
// CHECK:         %[[T:.*]] = memref.alloc(%[[N]], %[[M]]) : memref<?x?xf64>
// CHECK:         memref.store %{{.*}}, %[[T]]
// CHECK:         memref.load %[[T]]
// CHECK:         memref.dealloc %[[T]]

// -----

// One value for two arguments: stored for one, copied for the other.
#id = affine_map<(d0) -> (d0)>
func.func @twice(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
    attributes {dist.privileges = ["read", "write", "write"]} {
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.sqrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p, %p : tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @twice
// CHECK-NOT:     memref.alloc
// CHECK:         %[[P:.*]] = math.sqrt
// CHECK-NEXT:    memref.store %[[P]], %y
// CHECK:         %[[C:.*]] = memref.load %y
// CHECK-NEXT:    memref.store %[[C]], %z
