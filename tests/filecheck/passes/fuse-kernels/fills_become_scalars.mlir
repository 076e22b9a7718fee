// RUN: fuseir-opt %s -p fuse-kernels --split-input-file | filecheck %s

// Where a filled tensor is read, its scalar is used. The fill stays where something starts from it, on the shape of its use.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
func.func @fills(%x: tensor<?xf64>, %s: tensor<f64>, %z: tensor<?xf64>, %a: f64) -> (tensor<f64>, tensor<?xf64>) {
  %zero = arith.constant 0.0 : f64
  %f = linalg.fill ins(%a : f64) outs(%x : tensor<?xf64>) -> tensor<?xf64>
  %g = linalg.fill ins(%zero : f64) outs(%s : tensor<f64>) -> tensor<f64>
  %p = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %f : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%e: f64, %fe: f64, %u: f64):
    %0 = arith.mulf %fe, %e : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%p : tensor<?xf64>) outs(%g : tensor<f64>) {
  ^bb0(%e: f64, %acc: f64):
    %0 = arith.addf %acc, %e : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %q, %p : tensor<f64>, tensor<?xf64>
}

// CHECK-LABEL: @fills
// CHECK-NEXT:    %[[ZERO:.*]] = arith.constant 0.000000e+00 : f64
// CHECK-NEXT:    %[[G:.*]] = linalg.fill ins(%[[ZERO]] : f64) outs(%s : tensor<f64>) -> tensor<f64>
// CHECK-NEXT:    %p, %q = linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%z, %[[G]] : tensor<?xf64>, tensor<f64>)
// CHECK-NEXT:    ^bb0(%[[E:.*]]: f64, %{{.*}}: f64, %{{.*}}: f64):
// CHECK-NEXT:      arith.mulf %a, %[[E]]

// -----

// So is a tensor that holds a cast of a scalar everywhere, whatever the iteration space of its reader. A fill that is returned
// stays a fill.
#point = affine_map<() -> ()>
#none = affine_map<(d0) -> ()>
#id = affine_map<(d0) -> (d0)>
func.func @cast(%x: tensor<?xf64>, %t: tensor<f64>, %z: tensor<?xf64>, %a: f32) -> (tensor<f64>, tensor<?xf64>) {
  %p = linalg.generic {indexing_maps = [#point], iterator_types = []} outs(%t : tensor<f64>) {
  ^bb0(%u: f64):
    %0 = arith.extf %a : f32 to f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  %q = linalg.generic {indexing_maps = [#id, #none, #id], iterator_types = ["parallel"]}
      ins(%x, %p : tensor<?xf64>, tensor<f64>) outs(%z : tensor<?xf64>) {
  ^bb0(%e: f64, %pe: f64, %u: f64):
    %0 = arith.mulf %pe, %e : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p, %q : tensor<f64>, tensor<?xf64>
}

// CHECK-LABEL: @cast
// CHECK-NEXT:    %[[A:.*]] = arith.extf %a : f32 to f64
// CHECK:         linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>)
// CHECK-NEXT:    ^bb0(%[[E:.*]]: f64, %{{.*}}: f64):
// CHECK-NEXT:      arith.mulf %[[A]], %[[E]]
