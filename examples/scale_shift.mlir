// y = 2x + 1, as two tasks over four processors, with a temporary between them.
//
//   fuseir-opt examples/scale_shift.mlir -p fuse-tasks,eliminate-temporaries,compose-kernels,fuse-kernels
//   fuseir-run examples/scale_shift.mlir --in x=arange --print y --compare

#rows = #dist.tiling<[256]>

func.func @scale(%x: tensor<?xf64>, %z: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %r = linalg.generic {
    indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]
  } ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%element: f64, %unused: f64):
    %product = arith.mulf %a, %element : f64
    linalg.yield %product : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

func.func @shift(%x: tensor<?xf64>, %z: tensor<?xf64>, %b: f64) -> tensor<?xf64> {
  %r = linalg.generic {
    indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]
  } ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%element: f64, %unused: f64):
    %sum = arith.addf %element, %b : f64
    linalg.yield %sum : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !dist.store<1024xf64>
%y = dist.store "y" : !dist.store<1024xf64>
%z = dist.store : !dist.store<1024xf64>
%two = dist.scalar "a" = 2.0 : f64
%one = dist.scalar "b" = 1.0 : f64
dist.launch @scale<[4]>(%x: read #rows, %z: write #rows) scalars(%two) : (!dist.store<1024xf64>, !dist.store<1024xf64>, f64)
dist.launch @shift<[4]>(%z: read #rows, %y: write #rows) scalars(%one) : (!dist.store<1024xf64>, !dist.store<1024xf64>, f64)
dist.release %z : !dist.store<1024xf64>
