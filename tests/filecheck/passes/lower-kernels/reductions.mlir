// RUN: fuseir-opt %s -p lower-kernels --split-input-file | filecheck %s

// A loop with an init operand, the operator's identity; what the reduction starts from is combined with its result afterwards.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @sum(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> attributes {dist.privileges = ["read", "read_write"]} {
  %r = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%e: f64, %acc: f64):
    %0 = arith.addf %acc, %e : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}

// CHECK-LABEL: @sum
// CHECK:         %[[ID:.*]] = arith.constant -0.000000e+00 : f64
// CHECK:         %[[T:.*]] = "scf.parallel"(%{{.*}}, %{{.*}}, %{{.*}}, %[[ID]])
// CHECK:           %[[X:.*]] = memref.load %x[%{{.*}}]
// CHECK-NEXT:      scf.reduce(%[[X]] : f64) {
// CHECK-NEXT:      ^bb0(%[[L:.*]]: f64, %[[R:.*]]: f64):
// CHECK-NEXT:        %[[C:.*]] = arith.addf %[[L]], %[[R]] : f64
// CHECK-NEXT:        scf.reduce.return %[[C]] : f64
// CHECK-NEXT:      }
// CHECK-NEXT:    }) {vector}
// CHECK-NEXT:    %[[OLD:.*]] = memref.load %s[]
// CHECK-NEXT:    %[[NEW:.*]] = arith.addf %[[OLD]], %[[T]] : f64
// CHECK-NEXT:    memref.store %[[NEW]], %s[]

// -----

// A partial starts as the identity: it is stored to without having been loaded.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @partial(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> attributes {dist.privileges = ["read", "reduce<max>"]} {
  %r = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%e: f64, %acc: f64):
    %0 = arith.maximumf %acc, %e : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}

// CHECK-LABEL: @partial
// CHECK:         %[[T:.*]] = "scf.parallel"
// CHECK-NOT:     memref.load %s
// CHECK:         memref.store %[[T]], %s[]

// -----

// So does one that is folded into element by element.
#id = affine_map<(d0) -> (d0)>
func.func @elements(%x: tensor<?xf64>, %s: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "reduce<add>"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%s : tensor<?xf64>) {
  ^bb0(%e: f64, %acc: f64):
    %0 = arith.addf %acc, %e : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

// CHECK-LABEL: @elements
// CHECK:         %[[X:.*]] = memref.load %x
// CHECK-NEXT:    memref.store %[[X]], %s

// -----

// A reduction that starts from a filled tensor starts from the scalar; the identity knows unsigned from signed.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @start(%x: tensor<?xi32>, %s: tensor<i32>) -> tensor<i32> {
  %c = arith.constant 7 : i32
  %f = linalg.fill ins(%c : i32) outs(%s : tensor<i32>) -> tensor<i32>
  %r = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : tensor<?xi32>) outs(%f : tensor<i32>) {
  ^bb0(%e: i32, %acc: i32):
    %0 = arith.minui %acc, %e : i32
    linalg.yield %0 : i32
  } -> tensor<i32>
  func.return %r : tensor<i32>
}

// CHECK-LABEL: @start
// CHECK-NEXT:    %[[SEVEN:.*]] = arith.constant 7 : i32
// CHECK:         %[[ID:.*]] = arith.constant -1 : i32
// CHECK:         %[[T:.*]] = "scf.parallel"(%{{.*}}, %{{.*}}, %{{.*}}, %[[ID]])
// CHECK:         %[[R:.*]] = arith.minui %[[SEVEN]], %[[T]] : i32
// CHECK-NEXT:    memref.store %[[R]], %s[]
