// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --split-input-file | filecheck %s

// The first access is read_write: the group needs what was there.
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
%z = dist.store : !s
%w = dist.store : !s
dist.launch @opaque<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @double<[4]>(%z: read_write #t) : (!s)
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.release %z : !s

// CHECK: dist.fused_task<[4]> {

// -----

// In one launch, a read is not preceded by the write beside it.
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
dist.launch @opaque<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.release %z : !s

// CHECK: dist.fused_task<[4]> {
