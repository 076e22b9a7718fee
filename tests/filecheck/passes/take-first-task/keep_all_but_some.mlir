// RUN: fuseir-opt %s -p 'take-first-task{waiting=1}' | filecheck %s
// RUN: fuseir-opt %s -p 'take-first-task{waiting=2}' | filecheck %s --check-prefix=TWO
// RUN: fuseir-opt %s -p 'take-first-task{waiting=9}' | filecheck %s --check-prefix=TWO

// What waits are the last tasks, as many as are asked for, as long as one is kept. What belongs to the last one kept stays with it.
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
func.func private @look(tensor<?xf64>)

%x = dist.store "x" : !s
%m = dist.store : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %m: write #t) : (!s, !s)
  dist.launch @copy<[4]>(%m: read #t, %y: write #t) : (!s, !s)
}
dist.launch @copy<[2]>(%m: read #halves, %z: write #halves) : (!s, !s)
dist.release %m : !s
dist.launch @look<[1]>(%z: read #dist.none) : (!s)
dist.release %z : !s

// CHECK-NOT: @look
// CHECK: dist.fused_task<[4]>
// CHECK: dist.launch @copy<[2]>(%m
// CHECK-NEXT: dist.release %m
// CHECK-NOT: dist.launch
// CHECK-NOT: dist.release

// TWO-NOT: @look
// TWO: dist.fused_task<[4]>
// TWO-NOT: dist.launch @copy<[2]>
// TWO-NOT: dist.release
