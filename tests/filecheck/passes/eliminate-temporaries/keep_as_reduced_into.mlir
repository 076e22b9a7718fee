// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --split-input-file | filecheck %s

// %n is only reduced into; its launch stays, since its other result is wanted.
!s = !dist.store<8xf64>
!one = !dist.store<f64>
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
%n = dist.store "n" : !one
func.func @copy_and_sum(%t: tensor<?xf64>, %u: tensor<?xf64>, %v: tensor<f64>) -> (tensor<?xf64>, tensor<f64>) {
  %r, %m = linalg.generic {indexing_maps = [#id, #id, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%t : tensor<?xf64>) outs(%u, %v : tensor<?xf64>, tensor<f64>) {
  ^bb0(%e: f64, %o: f64, %acc: f64):
    %s = arith.addf %acc, %e : f64
    linalg.yield %e, %s : f64, f64
  } -> tensor<?xf64>, tensor<f64>
  func.return %r, %m : tensor<?xf64>, tensor<f64>
}
dist.launch @copy_and_sum<[4]>(%x: read #t, %y: write #t, %n: reduce<add> #dist.none) : (!s, !s, !one)
dist.launch @double<[4]>(%y: read_write #t) : (!s)
dist.release %n : !one

// CHECK: dist.fused_task<[4]> {
