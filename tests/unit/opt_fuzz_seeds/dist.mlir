#rows = #dist.tiling<[256] + [0], (d0) -> (d0)>
func.func @axpy(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %unused: f64):
    %p = arith.mulf %a, %xe : f64
    %s = arith.addf %p, %ye : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<1024xf64>
%y = dist.store "y" : !dist.store<1024xf64>
%z = dist.store : !dist.store<1024xf64>
%a = dist.scalar "a" = 2.0 : f64
dist.launch @axpy<[4]>(%x: read #rows, %y: read #rows, %z: write #rows) scalars(%a) : (!dist.store<1024xf64>, !dist.store<1024xf64>, !dist.store<1024xf64>, f64)
dist.release %z : !dist.store<1024xf64>
dist.fence
// -----
%x = dist.store "x" : !dist.store<4x8xf32>
%v = dist.view %x (d0) -> (d0 * -1 + 3, 2) : !dist.store<4x8xf32> -> !dist.view<4xf32>
%w = dist.view %x (d0, d1) -> (d1 * 2 + 1, d0) : !dist.store<4x8xf32> -> !dist.view<8x1xf32>
dist.fence
// -----
func.func private @opaque(tensor<?x?xi32>, tensor<?xi32>) -> tensor<?xi32>
%m = dist.store "m" : !dist.store<64x32xui32>
%s = dist.store "s" : !dist.store<32xui32>
dist.launch @opaque<[2, 2]>(%m: read #dist.tiling<[32, 16] + [0, 1], (d0, d1) -> (d0, d1 * 2 + 1)>, %s: reduce<add> #dist.none) : (!dist.store<64x32xui32>, !dist.store<32xui32>)
// -----
func.func private @step(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%p = dist.store "p" : !dist.store<16xf64>
%q = dist.store : !dist.store<16xf64>
%r = dist.store "r" : !dist.store<16xf64>
dist.fused_task<[4]> temporaries(%q) {
  dist.launch @step<[4]>(%p: read #dist.tiling<[4]>, %q: write #dist.tiling<[4]>) : (!dist.store<16xf64>, !dist.store<16xf64>)
  dist.launch @step<[4]>(%q: read #dist.tiling<[4]>, %r: write #dist.tiling<[4]>) : (!dist.store<16xf64>, !dist.store<16xf64>)
}
