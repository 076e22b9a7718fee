// RUN: fuseir-run %s --in x=ones --in nothing=zeros --print x --print nothing --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=ones --in nothing=zeros --print x --print nothing --backend cpu | filecheck %s

// No points, tiles that lie outside, stores without elements, and a launch of rank 0.

// CHECK:      x = [1.0, 1.0, 3.0]
// CHECK-NEXT: nothing = []

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
%nothing = dist.store "nothing" : !dist.store<0xf64>
%last = dist.view %x (d0) -> (2) : !dist.store<3xf64> -> !dist.view<1xf64>
dist.launch @increment<[0]>(%x: read_write #dist.tiling<[2]>) : (!dist.store<3xf64>)
dist.launch @increment<[4]>(%x: read_write #dist.tiling<[2] + [2]>) : (!dist.store<3xf64>)
dist.launch @increment<[5]>(%nothing: read_write #dist.tiling<[1]>) : (!dist.store<0xf64>)
dist.launch @increment<[]>(%last: read_write #dist.none) : (!dist.view<1xf64>)
