// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --split-input-file | filecheck %s

// A later launch reads a part of %z, through other pieces.
!s = !dist.store<8xf64>
!half = !dist.view<4xf64>
!one = !dist.store<f64>
#t = #dist.tiling<[2]>
#h = #dist.tiling<[1]>
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
%w = dist.store : !s
%v = dist.view %z (d0) -> (d0 + 4) : !s -> !half
%n = dist.store "n" : !one
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.launch @sum<[4]>(%v: read #h, %n: reduce<add> #dist.none) : (!half, !one)
dist.release %z : !s

// CHECK: dist.fused_task<[4]> {
// CHECK: dist.launch @sum

// -----

// A later launch reduces into %z.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @acc(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%w = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.launch @acc<[4]>(%x: read #u, %z: reduce<add> #u) : (!s, !s)
dist.launch @opaque<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.release %z : !s

// CHECK: dist.fused_task<[4]> {

// -----

// A later opaque task reads %z.
!s = !dist.store<8xf64>
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
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%w = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.launch @opaque<[4]>(%z: read #t, %w: write #t) : (!s, !s)
dist.release %z : !s

// CHECK: dist.fused_task<[4]> {
