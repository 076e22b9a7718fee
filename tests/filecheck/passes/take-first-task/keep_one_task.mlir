// RUN: fuseir-opt %s -p take-first-task --split-input-file | filecheck %s

// A single launch is a task. What is behind it goes, and with it the stores, views, scalars and functions that nothing else uses.
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
func.func private @look(tensor<?xf64>, f64)

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%later = dist.store "later" : !s
%v = dist.view %later (d0) -> (d0 + 1) : !s -> !dist.view<7xf64>
%a = dist.scalar "a" = 2.0 : f64
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[4]>(%y: read #t, %later: write #t) : (!s, !s)
dist.launch @look<[1]>(%v: read #dist.none) scalars(%a) : (!dist.view<7xf64>, f64)

// CHECK: func.func @copy
// CHECK-NOT: @look
// CHECK-NOT: "later"
// CHECK-NOT: dist.view
// CHECK-NOT: dist.scalar
// CHECK: dist.launch @copy<[4]>(%x: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>)
// CHECK-NOT: dist.launch

// -----

// So is a fused task, with all its members; others go, fused or not.
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
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
  dist.launch @copy<[4]>(%y: read #t, %z: write #t) : (!s, !s)
}
dist.fused_task<[2]> {
  dist.launch @copy<[2]>(%z: read #halves, %y: write #halves) : (!s, !s)
  dist.launch @copy<[2]>(%y: read #halves, %x: write #halves) : (!s, !s)
}

// CHECK: dist.fused_task<[4]> {
// CHECK: dist.launch @copy<[4]>(%x
// CHECK: dist.launch @copy<[4]>(%y
// CHECK-NOT: dist.fused_task
// CHECK-NOT: dist.launch

// -----

// Without tasks there is nothing to take, and nothing is taken away.
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
dist.release %y : !dist.store<8xf64>

// CHECK: dist.store "x"
// CHECK: dist.release
