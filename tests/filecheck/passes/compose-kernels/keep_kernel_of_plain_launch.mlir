// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries,compose-kernels --split-input-file | filecheck %s

// Nothing to change: the kernel stays, and now says what its parameters are for. Its neighbour was never
// launched and is left alone.
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
func.func @other(%t: tensor<?xf64>, %u: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 0.0 : f64
  %r = linalg.fill ins(%c : f64) outs(%u : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @opaque<[4]>(%x: read #t, %y: write #t) : (!s, !s)

// CHECK: func.func @copy
// CHECK-SAME: {dist.privileges = ["read", "write"]}
// CHECK: func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK: func.func @other
// CHECK: dist.launch @copy
// CHECK-NEXT: dist.launch @opaque
