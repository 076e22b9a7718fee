// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// Two reductions into one store with one operator, through any pieces: each is combined on its own.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
#id = affine_map<(d0) -> (d0)>
func.func @acc(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @acc<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)
dist.launch @acc<[4]>(%y: read #u, %z: reduce<add> #u) : (!s, !s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @acc
// CHECK-NEXT: dist.launch @acc
// CHECK-NEXT: }

// -----

// What a reduction does to one store is nothing to accesses of others.
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
%z = dist.store "z" : !s
%n = dist.store "n" : !one
dist.launch @sum<[4]>(%x: read #t, %n: reduce<add> #dist.none) : (!s, !one)
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @sum
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: }
