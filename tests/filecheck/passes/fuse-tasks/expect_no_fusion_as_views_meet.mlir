// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// The two views share the elements 2 and 3.
!s = !dist.store<8xf64>
!half = !dist.view<4xf64>
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
func.func @double(%x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%x : tensor<?xf64>) {
  ^bb0(%xe: f64):
    %s = arith.addf %xe, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !dist.store<4xf64>
%low = dist.view %x (d0) -> (d0) : !s -> !half
%mid = dist.view %x (d0) -> (d0 + 2) : !s -> !half
dist.launch @copy<[4]>(%y: read #h, %low: write #h) : (!dist.store<4xf64>, !half)
dist.launch @double<[4]>(%mid: read_write #h) : (!half)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @copy
// CHECK-NEXT: dist.launch @double

// -----

// A reversed view has the same elements in other places.
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
func.func @double(%x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%x : tensor<?xf64>) {
  ^bb0(%xe: f64):
    %s = arith.addf %xe, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%z = dist.store "z" : !s
%back = dist.view %x (d0) -> (-d0 + 7) : !s -> !dist.view<8xf64>
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.launch @copy<[4]>(%back: read #t, %z: write #t) : (!dist.view<8xf64>, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @double
// CHECK-NEXT: dist.launch @copy
