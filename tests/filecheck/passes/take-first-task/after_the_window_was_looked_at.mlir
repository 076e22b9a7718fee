// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries,take-first-task --split-input-file | filecheck %s

// The second task reads %m, so %m is no temporary of the first, though nothing that is left reads it (D29, D44). %t is one.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#halves = #dist.tiling<[4]>
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
%t = dist.store : !s
%m = dist.store : !s
%y = dist.store "y" : !s
dist.launch @copy<[4]>(%x: read #t, %t: write #t) : (!s, !s)
dist.launch @copy<[4]>(%t: read #t, %m: write #t) : (!s, !s)
dist.launch @copy<[2]>(%m: read #halves, %y: write #halves) : (!s, !s)
dist.release %t : !s
dist.release %m : !s

// CHECK: dist.fused_task<[4]> temporaries(%t : !dist.store<8xf64>) {
// CHECK: dist.launch @copy<[4]>(%x
// CHECK: dist.launch @copy<[4]>(%t
// CHECK: }
// CHECK-NEXT: dist.release %t
// CHECK-NOT: dist.launch
// CHECK-NOT: dist.release %m
