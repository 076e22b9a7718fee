// RUN: fuseir-opt %s -p lower-kernels --split-input-file | filecheck %s

// The old element is read where the new one is stored: no other memory is needed.
#id = affine_map<(d0) -> (d0)>
func.func @update(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    %0 = arith.subf %b, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

// CHECK-LABEL: @update
// CHECK-NOT:     memref.alloc
// CHECK:         %[[A:.*]] = memref.load %x[%[[I:.*]]]
// CHECK-NEXT:    %[[B:.*]] = memref.load %y[%[[I]]]
// CHECK-NEXT:    %[[R:.*]] = arith.subf %[[B]], %[[A]]
// CHECK-NEXT:    memref.store %[[R]], %y[%[[I]]]

// -----

// Two tensors change places in one nest.
#id = affine_map<(d0) -> (d0)>
func.func @swap(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %p, %q = "linalg.generic"(%x, %y, %x, %y) <{indexing_maps = [#id, #id, #id, #id],
      iterator_types = [#linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 2>}> ({
  ^bb0(%a: f64, %b: f64, %u: f64, %v: f64):
    linalg.yield %b, %a : f64, f64
  }) : (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
  func.return %p, %q : tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @swap
// CHECK-NOT:     memref.alloc
// CHECK:         %[[A:.*]] = memref.load %x
// CHECK:         %[[B:.*]] = memref.load %y
// CHECK:         memref.store %[[B]], %x
// CHECK-NEXT:    memref.store %[[A]], %y

// -----

// The exponentials are needed twice and returned by nobody: until the quotients are stored there, their memory is free.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @borrow(%x: tensor<?xf64>, %s: tensor<f64>, %z: tensor<?xf64>) -> (tensor<f64>, tensor<?xf64>)
    attributes {dist.privileges = ["read", "reduce<add>", "write"]} {
  %e, %sum = "linalg.generic"(%x, %x, %s) <{indexing_maps = [#id, #id, #none],
      iterator_types = [#linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 1, 2>}> ({
  ^bb0(%a: f64, %u: f64, %acc: f64):
    %0 = math.exp %a : f64
    %1 = arith.addf %acc, %0 : f64
    linalg.yield %0, %1 : f64, f64
  }) : (tensor<?xf64>, tensor<?xf64>, tensor<f64>) -> (tensor<?xf64>, tensor<f64>)
  %two = arith.constant 2.0 : f64
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%e : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = arith.divf %a, %two : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %sum, %q : tensor<f64>, tensor<?xf64>
}

// CHECK-LABEL: @borrow
// CHECK-NOT:     memref.alloc
// CHECK:         %[[E:.*]] = math.exp
// CHECK-NEXT:    memref.store %[[E]], %z
// CHECK:         memref.load %z
// CHECK-NEXT:    arith.divf
// CHECK-NEXT:    memref.store %{{.*}}, %z

// -----

// What is returned as it came needs nothing.
func.func @unchanged(%x: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read_write"]} {
  func.return %x : tensor<?xf64>
}

// CHECK-LABEL: @unchanged
// CHECK-NEXT:    func.return
