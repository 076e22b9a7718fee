// RUN: fuseir-opt %s -p compose-kernels --expected-diagnostics

// A fused task from a file need not be one that fuse-tasks makes.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
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
// expected-error @below {{fused task breaks a constraint: '@copy' is not fused with '@copy' (partition-mismatch(true))}}
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
  dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)
}
