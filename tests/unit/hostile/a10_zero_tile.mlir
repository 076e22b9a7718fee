func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%e: f64, %unused: f64):
    linalg.yield %e : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<16xf64>
%z = dist.store "z" : !dist.store<16xf64>
dist.launch @copy<[4]>(%x: read #dist.tiling<[0]>, %z: write #dist.tiling<[4]>) : (!dist.store<16xf64>, !dist.store<16xf64>)
