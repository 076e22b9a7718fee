// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries,compose-kernels --split-input-file | filecheck %s

// %z is overwritten unread by the second member: the first leaves nothing behind, neither code nor parameters.
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
%z = dist.store : !s
%a = dist.scalar "a" = 1.0 : f64
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @set<[4]>(%z: write #t) scalars(%a) : (!s, f64)
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)

// CHECK: func.func private @fused_0(%y: tensor<?xf64>, %y_1: tensor<?xf64>, %v: f64)
// CHECK-SAME: {dist.privileges = ["write", "write"]}
// CHECK-NEXT: linalg.fill
// CHECK-NEXT: linalg.generic
// CHECK: dist.launch @fused_0<[4]>(%z: write {{.*}}, %y: write {{.*}}) scalars(%a)
