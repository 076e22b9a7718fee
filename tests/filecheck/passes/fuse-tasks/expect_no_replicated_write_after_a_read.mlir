// RUN: fuseir-opt %s -p "fuse-tasks{rename=false}" | filecheck %s
// RUN: fuseir-opt %s -p "fuse-tasks{rename=false pointwise=false}" | filecheck %s

// A scalar task could run at every point, but what a point then writes other points are still to read. As pieces, what all points write
// is what all points read: equality of partitions does not tell the two apart.
!s = !dist.store<8xf64>
!one = !dist.store<f64>
#t = #dist.tiling<[2]>
#all = #dist.none
#id = affine_map<(d0) -> (d0)>
#nothing = affine_map<(d0) -> ()>
#scalar = affine_map<() -> ()>
func.func @scale(%n: tensor<f64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#nothing, #id], iterator_types = ["parallel"]}
      ins(%n : tensor<f64>) outs(%y : tensor<?xf64>) {
  ^bb0(%ne: f64, %ye: f64):
    %t = arith.mulf %ne, %ye : f64
    linalg.yield %t : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @square(%m: tensor<f64>, %n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#scalar, #scalar], iterator_types = []}
      ins(%m : tensor<f64>) outs(%n : tensor<f64>) {
  ^bb0(%me: f64, %ne: f64):
    %t = arith.mulf %me, %me : f64
    linalg.yield %t : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}

%y = dist.store "y" : !s
%n = dist.store "n" : !one
%m = dist.store "m" : !one
dist.launch @scale<[4]>(%n: read #all, %y: read_write #t) : (!one, !s)
dist.launch @square<[1]>(%m: read #all, %n: write #all) : (!one, !one)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @scale<[4]>
// CHECK-NEXT: dist.launch @square<[1]>
