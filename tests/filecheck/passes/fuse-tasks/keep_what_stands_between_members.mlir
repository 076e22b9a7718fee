// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// Definitions stay in front of the group that they are for: the fused task comes last.
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
func.func @set(%y: tensor<?xf64>, %v: f64) -> tensor<?xf64> {
  %r = linalg.fill ins(%v : f64) outs(%y : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
%z = dist.store "z" : !s
%v = dist.view %z (d0) -> (-d0 + 7) : !s -> !dist.view<8xf64>
%a = dist.scalar "a" = 1.0 : f64
dist.launch @copy<[4]>(%y: read #t, %v: write #t) : (!s, !dist.view<8xf64>)
dist.launch @set<[4]>(%x: write #t) scalars(%a) : (!s, f64)

// CHECK: %y = dist.store "y"
// CHECK-NEXT: %z = dist.store "z"
// CHECK-NEXT: %v = dist.view %z
// CHECK-NEXT: %a = dist.scalar "a"
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @set
// CHECK-NEXT: }

// -----

// A release waits until the group is done, and keeps its place among releases.
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
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.release %x : !s
dist.launch @copy<[4]>(%y: read #t, %z: write #t) : (!s, !s)
dist.release %y : !s
dist.launch @double<[4]>(%z: read_write #t) : (!s)
dist.release %z : !s

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: }
// CHECK-NEXT: dist.release %x
// CHECK-NEXT: dist.release %y
// CHECK-NEXT: dist.release %z
