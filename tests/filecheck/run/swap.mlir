// RUN: fuseir-run %s --in x=arange --print x --print z --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=arange --print x --print z --backend cpu | filecheck %s
// RUN: fuseir-run %s --in x=arange --print x --print z --no-fuse | filecheck %s
// RUN: fuseir-run %s --in x=arange --compare | filecheck %s --check-prefix=COMPARE
// RUN: not fuseir-run %s --in z=arange 2>&1 | filecheck %s --check-prefix=MISSING

// Contents change places: 2x and x first; then 4x goes to "z" and 2x to "x", which change places again. What "z" holds at the start does not
// matter, nor does what "rest" holds at the end.

// CHECK: x = [0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0]
// CHECK-NEXT: z = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
// COMPARE: x: equal
// COMPARE-NEXT: z: equal
// COMPARE-NOT: rest
// MISSING: error: store 'x' {{.*}} is used before it is written

#t = #dist.tiling<[2]>
#all = affine_map<(d0) -> (d0)>

func.func @twice(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    %s = arith.addf %a, %a : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !dist.store<7xf64>
%z = dist.store "z" : !dist.store<7xf64>
%rest = dist.store "rest" : !dist.store<7xf64>
%y = dist.store : !dist.store<7xf64>
%nothing = dist.store : !dist.store<7xf64>
dist.launch @twice<[4]>(%x: read #t, %y: write #t) : (!dist.store<7xf64>, !dist.store<7xf64>)
dist.swap %x, %y : !dist.store<7xf64>
dist.launch @twice<[4]>(%x: read #t, %z: write #t) : (!dist.store<7xf64>, !dist.store<7xf64>)
dist.launch @twice<[4]>(%y: read #t, %x: write #t) : (!dist.store<7xf64>, !dist.store<7xf64>)
dist.swap %x, %z : !dist.store<7xf64>
dist.launch @twice<[4]>(%y: read #t, %rest: write #t) : (!dist.store<7xf64>, !dist.store<7xf64>)
dist.swap %nothing, %rest : !dist.store<7xf64>
dist.release %y : !dist.store<7xf64>
dist.release %nothing : !dist.store<7xf64>
