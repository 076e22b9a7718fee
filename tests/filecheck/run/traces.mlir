// RUN: fuseir-run %s --in x=arange --print x --print y --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=arange --print x --print y --backend cpu | filecheck %s
// RUN: fuseir-run %s --in x=arange --print x --print y --no-fuse | filecheck %s
// RUN: fuseir-run %s --in x=arange --compare | filecheck %s --check-prefix=COMPARE

// Twice as much, the other way round, and places changed; three times.

// CHECK: x = [56.0, 48.0, 40.0, 32.0, 24.0, 16.0, 8.0, 0.0]
// COMPARE: x: equal
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @scale(%x: tensor<?xf64>, %y: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %p = arith.mulf %a, %xe : f64
    linalg.yield %p : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

dist.trace @step(%p: !s, %q: !s, %c: f64) {
  %v = dist.view %p (d0) -> (-d0 + 7) : !s -> !dist.view<8xf64>
  dist.launch @scale<[4]>(%v: read #t, %q: write #t) scalars(%c) : (!dist.view<8xf64>, !s, f64)
  dist.swap %p, %q : !s
}
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%a = dist.scalar "a" = 2.0 : f64
dist.replay @step(%x, %y, %a) : (!s, !s, f64)
dist.replay @step(%x, %y, %a) : (!s, !s, f64)
dist.replay @step(%x, %y, %a) : (!s, !s, f64)
