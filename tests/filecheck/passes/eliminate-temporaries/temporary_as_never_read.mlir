// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --split-input-file | filecheck %s

// A dead store, beside a result that is wanted.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @double(%x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%x : tensor<?xf64>) {
  ^bb0(%xe: f64):
    %s = arith.addf %xe, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
func.func @both(%t: tensor<?xf64>, %u: tensor<?xf64>, %v: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %r, %m = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%t : tensor<?xf64>) outs(%u, %v : tensor<?xf64>, tensor<?xf64>) {
  ^bb0(%e: f64, %o: f64, %p: f64):
    %s = arith.negf %e : f64
    linalg.yield %e, %s : f64, f64
  } -> tensor<?xf64>, tensor<?xf64>
  func.return %r, %m : tensor<?xf64>, tensor<?xf64>
}
dist.launch @both<[4]>(%x: read #t, %y: write #t, %z: write #t) : (!s, !s, !s)
dist.launch @double<[4]>(%y: read_write #t) : (!s)
dist.release %z : !s

// CHECK: dist.fused_task<[4]> temporaries(%z : !dist.store<8xf64>) {
