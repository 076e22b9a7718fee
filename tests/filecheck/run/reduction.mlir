// RUN: fuseir-run %s --in x=arange --in s=full:0.5 --print s --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=arange --in s=full:0.5 --print s --backend cpu | filecheck %s
// RUN: fuseir-run %s --in x=random:1 --in s=zeros --compare --ulp 0 | filecheck %s --check-prefix=SAME

// Each of 7 points folds its tile; partials are folded by the same tree, whatever the threads.

// CHECK: s = 1999000.5
// SAME:      x: equal
// SAME-NEXT: s: equal

func.func @sum(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%xe: f64, %acc: f64):
    %0 = arith.addf %acc, %xe : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}

%x = dist.store "x" : !dist.store<2000xf64>
%s = dist.store "s" : !dist.store<f64>
dist.launch @sum<[7]>(%x: read #dist.tiling<[300]>, %s: reduce<add> #dist.none) : (!dist.store<2000xf64>, !dist.store<f64>)
