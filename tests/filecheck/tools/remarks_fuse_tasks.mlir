// RUN: fuseir-opt %s -p fuse-tasks --split-input-file --remarks-filter-missed=fuse-tasks --verify-diagnostics=expected -o /dev/null

// One remark for each place where a group ends. (FIR-N107 needs 33 views: see tests/unit.)

// Nothing is expected of a group that nothing ends.
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
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)

// -----

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
%x = dist.store "x" : !s
%y = dist.store "y" : !s
#w = #dist.tiling<[4]>
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
// expected-remark @+1 {{(launch-domain): launch domains [4] and [2] [FIR-N101]}}
dist.launch @copy<[2]>(%y: read #w, %x: write #w) : (!s, !s)

// -----

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
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
// expected-remark @below {{FIR-N102}}
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)

// -----

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
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[4]>(%y: read #u, %x: write #u) : (!s, !s) // expected-remark {{FIR-N102}}

// -----

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
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%w = dist.store "w" : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
// expected-remark @+1 {{(anti): store "x" is 'read' through tiling<[2]>, then 'write' through tiling<[2] + [1]> [FIR-N103]}}
dist.launch @copy<[4]>(%w: read #u, %x: write #u) : (!s, !s)

// -----

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
func.func @sum(%x: tensor<?xf64>, %n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#id, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%n : tensor<f64>) {
  ^bb0(%xe: f64, %ne: f64):
    %t = arith.addf %ne, %xe : f64
    linalg.yield %t : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
func.func @keep(%n: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  func.return %n : tensor<f64>
}
%x = dist.store "x" : !s
%n = dist.store "n" : !dist.store<f64>
%m = dist.store "m" : !dist.store<f64>
dist.launch @sum<[4]>(%x: read #t, %n: reduce<add> #dist.none) : (!s, !dist.store<f64>)
// expected-remark @+1 {{(reduction): store "n" is 'reduce<add>' through none, then 'read' through none [FIR-N104]}}
dist.launch @keep<[1]>(%n: read #dist.none, %m: write #dist.none) : (!dist.store<f64>, !dist.store<f64>)

// -----

!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
#id = affine_map<(d0) -> (d0)>
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
// expected-remark @+1 {{'@opaque' is not fused (opaque) [FIR-N105]}}
dist.launch @opaque<[4]>(%x: read #t, %y: write #t) : (!s, !s)
// expected-remark @+1 {{'@copy' is not fused with '@opaque' (opaque) [FIR-N105]}}
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[4]>(%y: read #t, %x: write #t) : (!s, !s)
