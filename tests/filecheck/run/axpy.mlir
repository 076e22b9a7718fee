// RUN: fuseir-run %s --in x=arange --in y=ones --print y --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=arange --in y=ones --print y --backend cpu | filecheck %s
// RUN: fuseir-run %s --in x=arange --in y=ones --print y --scalar a=-0.5 | filecheck %s --check-prefix=HALF

// Ten elements in tiles of three: the last is clipped.

// CHECK: y = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0]
// HALF: y = [1.0, 0.5, 0.0, -0.5, -1.0, -1.5, -2.0, -2.5, -3.0, -3.5]

#rows = #dist.tiling<[3]>

func.func @axpy(%x: tensor<?xf64>, %y: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %0 = arith.mulf %a, %xe : f64
    %1 = arith.addf %0, %ye : f64
    linalg.yield %1 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !dist.store<10xf64>
%y = dist.store "y" : !dist.store<10xf64>
%a = dist.scalar "a" = 2.0 : f64
dist.launch @axpy<[4]>(%x: read #rows, %y: read_write #rows) scalars(%a) : (!dist.store<10xf64>, !dist.store<10xf64>, f64)
