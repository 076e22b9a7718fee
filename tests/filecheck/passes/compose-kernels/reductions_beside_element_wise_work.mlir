// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries,compose-kernels --split-input-file | filecheck %s

// A map and the sum of what it makes; the sum is over a value, not over memory.
!s = !dist.store<8xf64>
!one = !dist.store<f64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @sum(%x: tensor<?xf64>, %n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#id, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%n : tensor<f64>) {
  ^bb0(%xe: f64, %ne: f64):
    %s = arith.addf %ne, %xe : f64
    linalg.yield %s : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%n = dist.store "n" : !one
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @sum<[4]>(%z: read #t, %n: reduce<add> #dist.none) : (!s, !one)
dist.release %z : !s

// CHECK: {dist.privileges = ["read", "no_access", "reduce<add>"]}
// CHECK: {{.*}} = linalg.generic {{.*}}ins(%r : tensor<?xf64>) outs(%n : tensor<f64>)
// CHECK: dist.launch @fused_0<[4]>(%x: read #dist.tiling<[2]>, %z: no_access #dist.tiling<[2]>, %n: reduce<add> #dist.none)
