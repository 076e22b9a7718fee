// RUN: fuseir-run %s --in x=ones --print x --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=ones --print x --backend cpu | filecheck %s
// RUN: fuseir-run %s --in x=ones --print x --scalar n=255 --scalar b=false | filecheck %s --check-prefix=GIVEN
// RUN: fuseir-run %s --in x=ones --print x --scalar n=-1 --scalar b=0 | filecheck %s --check-prefix=GIVEN

// Integers may be given in either reading.

// CHECK: x = [4.0, 4.0]
// GIVEN: x = [-1.0, -1.0]

func.func @k(%x: tensor<?xf64>, %n: i8, %b: i1) -> tensor<?xf64> {
  %f = arith.sitofp %n : i8 to f64
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%x : tensor<?xf64>) {
  ^bb0(%a: f64):
    %0 = arith.addf %a, %f : f64
    %1 = arith.select %b, %0, %f : f64
    linalg.yield %1 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !dist.store<2xf64>
%n = dist.scalar "n" = 3 : i8
%b = dist.scalar "b" = true
dist.launch @k<[1]>(%x: read_write #dist.none) scalars(%n, %b) : (!dist.store<2xf64>, i8, i1)
