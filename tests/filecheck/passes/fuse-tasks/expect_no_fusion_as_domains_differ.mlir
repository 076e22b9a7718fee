// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// The launch domains have equally many points, and the launches share no store.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
func.func @set(%y: tensor<?xf64>, %v: f64) -> tensor<?xf64> {
  %r = linalg.fill ins(%v : f64) outs(%y : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

#r = #dist.tiling<[2, 2]>
%x = dist.store "x" : !s
%m = dist.store "m" : !dist.store<4x4xf64>
%a = dist.scalar "a" = 1.0 : f64
func.func @set2(%y: tensor<?x?xf64>, %v: f64) -> tensor<?x?xf64> {
  %r = linalg.fill ins(%v : f64) outs(%y : tensor<?x?xf64>) -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}
dist.launch @set<[4]>(%x: write #t) scalars(%a) : (!s, f64)
dist.launch @set2<[2, 2]>(%m: write #r) scalars(%a) : (!dist.store<4x4xf64>, f64)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @set
// CHECK-NEXT: dist.launch @set2
