// RUN: fuseir-run %s --in u=arange --print u --backend ref | filecheck %s
// RUN: fuseir-run %s --in u=arange --print u --backend cpu | filecheck %s
// RUN: fuseir-run %s --in u=arange --print u --backend cpu --no-fuse | filecheck %s
// RUN: fuseir-opt %s -p fuse-tasks | fuseir-run - --in u=arange --print u --backend ref | filecheck %s

// Neighbours are added into a temporary, which then replaces the inside: the ends stay.

// CHECK: u = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 7.0]

#t = #dist.tiling<[2]>

func.func @add(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %c: f64):
    %0 = arith.addf %a, %b : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%u = dist.store "u" : !dist.store<8xf64>
%left = dist.view %u (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<6xf64>
%right = dist.view %u (d0) -> (d0 + 2) : !dist.store<8xf64> -> !dist.view<6xf64>
%inside = dist.view %u (d0) -> (d0 + 1) : !dist.store<8xf64> -> !dist.view<6xf64>
%sum = dist.store : !dist.store<6xf64>
dist.launch @add<[3]>(%left: read #t, %right: read #t, %sum: write #t) : (!dist.view<6xf64>, !dist.view<6xf64>, !dist.store<6xf64>)
dist.launch @copy<[3]>(%sum: read #t, %inside: write #t) : (!dist.store<6xf64>, !dist.view<6xf64>)
dist.release %sum : !dist.store<6xf64>
