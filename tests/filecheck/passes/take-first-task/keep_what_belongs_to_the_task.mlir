// RUN: fuseir-opt %s -p take-first-task --split-input-file | filecheck %s

// Releases directly behind the task, and the exchange of a store with its fresh version, are its own. From the next launch on they are not:
// %y is still to be read.
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
%y = dist.store : !s
%z = dist.store "z" : !s
%fresh = dist.store : !s
%w = dist.store "w" : !s
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
  dist.launch @copy<[4]>(%y: read #t, %fresh: write #t) : (!s, !s)
}
dist.swap %z, %fresh : !s
dist.release %fresh : !s
dist.launch @copy<[2]>(%y: read #halves, %w: write #halves) : (!s, !s)
dist.swap %w, %z : !s
dist.release %y : !s

// CHECK: dist.fused_task
// CHECK: dist.swap %z, %fresh
// CHECK-NEXT: dist.release %fresh
// CHECK-NOT: dist.launch
// CHECK-NOT: dist.swap
// CHECK-NOT: dist.release %y

// -----

// A fence ends what belongs to a task as well. What stands before the task stays.
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
%y = dist.store : !s
%z = dist.store : !s
dist.release %z : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.fence
dist.release %y : !s

// CHECK: dist.release %z
// CHECK-NEXT: dist.launch
// CHECK-NOT: dist.fence
// CHECK-NOT: dist.release
