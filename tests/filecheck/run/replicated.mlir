// RUN: fuseir-run %s --in x=arange --in last=zeros --print a --print last --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=arange --in last=zeros --print a --print last --threads 4 | filecheck %s
// RUN: fuseir-run %s --in x=arange --in last=zeros --print a --print last --threads 4 --no-fuse | filecheck %s
// RUN: fuseir-run %s --in x=arange --in last=zeros --threads 4 --ulp 0 --compare | filecheck %s --check-prefix=COMPARE

// Every point sums all of %x and writes the sum, to a store and to one element of a view; the store is large enough that points run on
// several threads. A sum is not written in one step: points must not see each other at work.

// CHECK: a = 199990000.0
// CHECK-NEXT: last = [199990000.0, 199990000.0]
// COMPARE: x: equal
// COMPARE-NEXT: a: equal
// COMPARE-NEXT: last: equal
// COMPARE-NEXT: y: equal

#zero = affine_map<() -> ()>
#zero1 = affine_map<(d0) -> ()>
#all = affine_map<(d0) -> (d0)>
func.func @sum(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %c = arith.constant 0.0 : f64
  %e = linalg.fill ins(%c : f64) outs(%s : tensor<f64>) -> tensor<f64>
  %r = linalg.generic {indexing_maps = [#all, #zero1], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%e : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %acc, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
func.func @both(%x: tensor<?xf64>, %y: tensor<?xf64>, %a: tensor<f64>, %b: tensor<f64>) -> (tensor<?xf64>, tensor<f64>) {
  %d = linalg.generic {indexing_maps = [#zero, #zero], iterator_types = []} ins(%a : tensor<f64>) outs(%b : tensor<f64>) {
  ^bb0(%u: f64, %v: f64):
    %n = arith.addf %u, %u : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  %r = linalg.generic {indexing_maps = [#all, #zero1, #all], iterator_types = ["parallel"]}
      ins(%x, %d : tensor<?xf64>, tensor<f64>) outs(%y : tensor<?xf64>) {
  ^bb0(%u: f64, %v: f64, %w: f64):
    %n = arith.mulf %u, %v : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r, %d : tensor<?xf64>, tensor<f64>
}

%x = dist.store "x" : !dist.store<20000xf64>
%a = dist.store "a" : !dist.store<f64>
%last = dist.store "last" : !dist.store<2xf64>
%y = dist.store "y" : !dist.store<20000xf64>
%first = dist.view %last () -> (0) : !dist.store<2xf64> -> !dist.view<f64>
%second = dist.view %last () -> (1) : !dist.store<2xf64> -> !dist.view<f64>
%b = dist.store : !dist.store<f64>
dist.launch @sum<[32]>(%x: read #dist.none, %a: write #dist.replicated) : (!dist.store<20000xf64>, !dist.store<f64>)
dist.launch @sum<[32]>(%x: read #dist.none, %first: write #dist.replicated) : (!dist.store<20000xf64>, !dist.view<f64>)
dist.launch @sum<[32]>(%x: read #dist.none, %second: write #dist.replicated) : (!dist.store<20000xf64>, !dist.view<f64>)
dist.fused_task<[32]> temporaries(%b : !dist.store<f64>) {
  dist.launch @both<[32]>(%x: read #dist.tiling<[625]>, %y: write #dist.tiling<[625]>, %a: read #dist.none, %b: write #dist.replicated)
    : (!dist.store<20000xf64>, !dist.store<20000xf64>, !dist.store<f64>, !dist.store<f64>)
}
dist.release %b : !dist.store<f64>
