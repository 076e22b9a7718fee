// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --split-input-file --remarks-filter=eliminate --verify-diagnostics=expected -o /dev/null

// Each store that nobody outside sees and that needs memory all the same says why.

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
// expected-remark @+1 {{[passed] eliminate-temporaries: store %z needs no memory [FIR-N110]}}
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
// expected-remark @+1 {{[analysis] eliminate-temporaries: store "y" needs memory: it has a name, so the world outside can see it [FIR-N113]}}
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.release %z : !s

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
// expected-remark @+1 {{[missed] eliminate-temporaries: store %z needs memory: it is not released in this module [FIR-N113]}}
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
// expected-remark @+1 {{FIR-N113}}
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
%z = dist.store : !s
// expected-remark @+1 {{store %z needs memory: '@copy' needs it later [FIR-N114]}}
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)
dist.release %z : !s

// -----

!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
#id = affine_map<(d0) -> (d0)>
func.func @fill(%n: tensor<f64>, %v: f64) -> tensor<f64> {
  %r = linalg.fill ins(%v : f64) outs(%n : tensor<f64>) -> tensor<f64>
  func.return %r : tensor<f64>
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
%m = dist.store "m" : !dist.store<f64>
%n = dist.store : !dist.store<f64>
%c = dist.scalar "c" = 0.0 : f64
// expected-remark @+1 {{store %n needs memory: '@sum' needs it later [FIR-N114]}}
dist.launch @fill<[1]>(%n: write #dist.none) scalars(%c) : (!dist.store<f64>, f64)
// expected-remark @+1 {{store %n needs memory: '@sum' reduces into it [FIR-N111]}}
dist.launch @sum<[4]>(%x: read #t, %n: reduce<add> #dist.none) : (!s, !dist.store<f64>)
dist.launch @keep<[1]>(%n: read #dist.none, %m: write #dist.none) : (!dist.store<f64>, !dist.store<f64>)
dist.release %n : !dist.store<f64>

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
func.func @double(%x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : tensor<?xf64>) {
  ^bb0(%xe: f64):
    %t = arith.addf %xe, %xe : f64
    linalg.yield %t : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%y = dist.store "y" : !s
// expected-remark @+1 {{store "x" needs memory: '@double' reads it before a member writes it [FIR-N112]}}
dist.launch @double<[4]>(%x: read_write #t) : (!s)
// expected-remark @+1 {{FIR-N113}}
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)

// -----

// A dead launch is erased; of the store it wrote nobody speaks.
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
// expected-remark @+1 {{[passed] eliminate-temporaries: '@copy' is erased: nobody wants its results [FIR-N115]}}
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.release %z : !s

// -----

// Only the front half is written before it is read.
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
#h = #dist.tiling<[1]>
!h = !dist.view<4xf64>
%x = dist.store "x" : !dist.store<4xf64>
%y = dist.store "y" : !dist.store<4xf64>
%z = dist.store : !s
%v = dist.view %z (d0) -> (d0) : !s -> !h
// expected-remark @+1 {{store %z needs memory: '@copy' reads it when only a part of it is written, or through other pieces [FIR-N116]}}
dist.launch @copy<[4]>(%x: read #h, %v: write #h) : (!dist.store<4xf64>, !h)
// expected-remark @+1 {{FIR-N113}}
dist.launch @copy<[4]>(%v: read #h, %y: write #h) : (!h, !dist.store<4xf64>)
dist.release %z : !s
