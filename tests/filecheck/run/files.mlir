// RUN: fuseir-run %s --in x=arange --out x=%t.npy --backend ref
// RUN: fuseir-run %s --in x=%t.npy --out x=%t.npy --print x --backend cpu | filecheck %s
// RUN: fuseir-run %s --in x=%t.npy --print x | filecheck %s --check-prefix=AGAIN

// What a run writes, another reads.

// CHECK: x = [2.0, 3.0, 4.0]
// AGAIN: x = [3.0, 4.0, 5.0]

func.func @increment(%z: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 1.0 : f64
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64):
    %0 = arith.addf %a, %c : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !dist.store<3xf64>
dist.launch @increment<[2]>(%x: read_write #dist.tiling<[2]>) : (!dist.store<3xf64>)
