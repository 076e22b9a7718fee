// RUN: not fuseir-opt %s -p fuse-tasks,compose-kernels --remarks -o /dev/null 2>&1 | filecheck %s

// What passes said before one failed is shown too.
// CHECK-DAG: error: fused task breaks a constraint
// CHECK-DAG: remark: [missed] fuse-tasks: '@copy' is not fused with '@copy' {{.*}} [FIR-N102]
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
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)
dist.release %z : !s
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
  dist.launch @copy<[4]>(%y: read #u, %x: write #u) : (!s, !s)
}
