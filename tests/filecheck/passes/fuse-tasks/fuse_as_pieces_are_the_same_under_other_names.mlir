// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// Two views with one map, and a view that is all of the store.
!s = !dist.store<8xf64>
!half = !dist.view<4xf64>
#t = #dist.tiling<[2]>
#h = #dist.tiling<[1]>
#id = affine_map<(d0) -> (d0)>
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
%y = dist.store "y" : !s
%z = dist.store "z" : !s
%v = dist.view %y (d0) -> (d0 + 4) : !s -> !half
%w = dist.view %y (d0) -> (d0 + 4) : !s -> !half
%all = dist.view %x (d0) -> (d0) : !s -> !dist.view<8xf64>
dist.launch @double<[4]>(%v: read_write #h) : (!half)
dist.launch @double<[4]>(%w: read_write #h) : (!half)
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.launch @double<[4]>(%all: read_write #t) : (!dist.view<8xf64>)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: }

// -----

// On one point, a tile as long as the store is the store.
!s = !dist.store<8xf64>
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
%z = dist.store "z" : !s
#whole = #dist.tiling<[8]>
dist.launch @copy<[1]>(%x: read #dist.none, %y: write #dist.none) : (!s, !s)
dist.launch @copy<[1]>(%y: read #whole, %z: write #whole) : (!s, !s)

// CHECK: dist.fused_task<[1]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: }
