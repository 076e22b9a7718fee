// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --split-input-file | filecheck %s

// The group writes a half of %z and reads it back; the condition asks for all of %z.
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

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%w = dist.store : !s
%v = dist.view %z (d0) -> (d0) : !s -> !half
%p = dist.store "p" : !dist.store<4xf64>
%q = dist.store "q" : !dist.store<4xf64>
dist.launch @copy<[4]>(%p: read #h, %v: write #h) : (!dist.store<4xf64>, !half)
dist.launch @copy<[4]>(%v: read #h, %q: write #h) : (!half, !dist.store<4xf64>)
dist.release %z : !s

// CHECK: dist.fused_task<[4]> {

// -----

// Tiles with an offset leave the first element out.
!s = !dist.store<8xf64>
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
%w = dist.store : !s
dist.launch @copy<[4]>(%x: read #u, %z: write #u) : (!s, !s)
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)
dist.release %z : !s

// CHECK: dist.fused_task<[4]> {
