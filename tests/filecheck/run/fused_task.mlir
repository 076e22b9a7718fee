// RUN: fuseir-run %s --in x=arange --print z --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=arange --print z --backend cpu | filecheck %s
// RUN: fuseir-opt %s -p compose-kernels | fuseir-run - --in x=arange --print z --backend ref | filecheck %s

// A fused task is its members, one after the other; a temporary has no contents outside.

// CHECK: z = [1.0, 1.5, 2.0, 2.5, 3.0]

#t = #dist.tiling<[2]>

func.func @halve(%x: tensor<?xf32>, %z: tensor<?xf32>) -> tensor<?xf32> {
  %c = arith.constant 0.5 : f32
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%z : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.mulf %a, %c : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

func.func @increment(%z: tensor<?xf32>) -> tensor<?xf32> {
  %c = arith.constant 1.0 : f32
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%z : tensor<?xf32>) {
  ^bb0(%a: f32):
    %0 = arith.addf %a, %c : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

func.func @copy(%x: tensor<?xf32>, %z: tensor<?xf32>) -> tensor<?xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%z : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

%x = dist.store "x" : !dist.store<5xf32>
%t = dist.store : !dist.store<5xf32>
%z = dist.store "z" : !dist.store<5xf32>
dist.fused_task<[3]> temporaries(%t : !dist.store<5xf32>) {
  dist.launch @halve<[3]>(%x: read #t, %t: write #t) : (!dist.store<5xf32>, !dist.store<5xf32>)
  dist.launch @increment<[3]>(%t: read_write #t) : (!dist.store<5xf32>)
  dist.launch @copy<[3]>(%t: read #t, %z: write #t) : (!dist.store<5xf32>, !dist.store<5xf32>)
}
