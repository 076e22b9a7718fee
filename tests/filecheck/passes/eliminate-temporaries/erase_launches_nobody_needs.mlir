// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --split-input-file | filecheck %s

// Nobody wants %z, so nobody wants the launch that makes it, nor, in turn, the one that makes %w for it.
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

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%w = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %w: write #t) : (!s, !s)
dist.fence
dist.launch @copy<[4]>(%w: read #t, %z: write #t) : (!s, !s)
dist.release %w : !s
dist.release %z : !s

// CHECK: %w = dist.store
// CHECK-NEXT: dist.fence
// CHECK-NEXT: dist.release %w
// CHECK-NEXT: dist.release %z

// -----

// Inside a group, too: the last member goes, the others stay.
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

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%w = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %w: write #t) : (!s, !s)
dist.release %z : !s
dist.release %w : !s

// CHECK: dist.fused_task<[4]> temporaries(%z : !dist.store<8xf64>) {
// CHECK-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %z
// CHECK-NEXT: dist.launch @copy<[4]>(%z: read {{.*}}, %y
// CHECK-NEXT: }

// -----

// An opaque task may do more than it says.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%w = dist.store : !s
dist.launch @opaque<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.release %z : !s

// CHECK: dist.launch @opaque
