// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// The consumer uses the producer's value without storing it; the tensor between them goes, its shape with it.
#id = affine_map<(d0) -> (d0)>
func.func @mul_exp(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf64>
  %t = tensor.empty(%n) : tensor<?xf64>
  %p = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%t : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %0 = arith.mulf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%p : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.exp %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %q : tensor<?xf64>
}

// CHECK-LABEL: @mul_exp
// CHECK-NEXT:    %q = linalg.generic
// CHECK-SAME:      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>)
// CHECK-NEXT:    ^bb0(%[[A:.*]]: f64, %[[B:.*]]: f64, %{{.*}}: f64):
// CHECK-NEXT:      %[[P:.*]] = arith.mulf %[[A]], %[[B]] : f64
// CHECK-NEXT:      %[[Q:.*]] = math.exp %[[P]] : f64
// CHECK-NEXT:      linalg.yield %[[Q]] : f64
// CHECK-NEXT:    } -> tensor<?xf64>
// CHECK-NEXT:    func.return %q

// -----

// A value that the caller wants as well stays an output.
#id = affine_map<(d0) -> (d0)>
func.func @keep(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = math.sqrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%p : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %0 = arith.negf %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p, %q : tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @keep
// CHECK-NEXT:    %p, %q = linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%y, %z : tensor<?xf64>, tensor<?xf64>)
// CHECK:           %[[P:.*]] = math.sqrt
// CHECK-NEXT:      %[[Q:.*]] = arith.negf %[[P]]
// CHECK-NEXT:      linalg.yield %[[P]], %[[Q]] : f64, f64
// CHECK-NOT:     linalg.generic
// CHECK:         func.return %p, %q
