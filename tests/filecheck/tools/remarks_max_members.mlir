// RUN: fuseir-opt %s -p "fuse-tasks{max-members=2}" --remarks --expected-diagnostics -o /dev/null

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
// expected-remark @+1 {{[passed] fuse-tasks: fused 2 launches [FIR-N100]}}
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
// expected-remark @+2 {{FIR-N100}}
// expected-remark @+1 {{'@copy' is not fused with '@copy' (max-members) [FIR-N106]}}
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
