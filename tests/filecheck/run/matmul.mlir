// RUN: fuseir-run %s --in a=arange --in b=arange --print c --backend ref | filecheck %s
// RUN: fuseir-run %s --in a=arange --in b=arange --print c --backend cpu | filecheck %s

// CHECK: c = [[10.0, 13.0], [28.0, 40.0], [46.0, 67.0]]

func.func @matmul(%a: tensor<?x?xf64>, %b: tensor<?x?xf64>, %c: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %zero = arith.constant 0.0 : f64
  %init = linalg.fill ins(%zero : f64) outs(%c : tensor<?x?xf64>) -> tensor<?x?xf64>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>,
                                        affine_map<(i, j, k) -> (i, j)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?xf64>, tensor<?x?xf64>) outs(%init : tensor<?x?xf64>) {
  ^bb0(%x: f64, %y: f64, %acc: f64):
    %0 = arith.mulf %x, %y : f64
    %1 = arith.addf %acc, %0 : f64
    linalg.yield %1 : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

%a = dist.store "a" : !dist.store<3x3xf64>
%b = dist.store "b" : !dist.store<3x2xf64>
%c = dist.store "c" : !dist.store<3x2xf64>
dist.launch @matmul<[2, 2]>(%a: read #dist.tiling<[2, 3], (d0, d1) -> (d0, 0)>, %b: read #dist.tiling<[3, 1], (d0, d1) -> (0, d1)>,
  %c: write #dist.tiling<[2, 1]>) : (!dist.store<3x3xf64>, !dist.store<3x2xf64>, !dist.store<3x2xf64>)
