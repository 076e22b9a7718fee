// RUN: not fuseir-opt %s -p fuse-tasks --remarks 2>&1 | filecheck %s --check-prefix=FUSE
// RUN: not fuseir-opt %s --check-legality 2>&1 | filecheck %s --check-prefix=CHECKER
// RUN: fuseir-opt %s -p inline-traces,fuse-tasks --print-ir-after=fuse-tasks -o /dev/null 2>&1 | filecheck %s
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

dist.trace @step(%p: !s, %q: !s) {
  dist.launch @copy<[4]>(%p: read #t, %q: write #t) : (!s, !s)
}
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.replay @step(%x, %y) : (!s, !s)
dist.replay @step(%y, %z) : (!s, !s)

// FUSE: :31:1: error: pass 'fuse-tasks' does not look into traces: let the pass 'inline-traces' put them in place before [FIR-E005]
// CHECKER: error: the check of legality does not look into traces
// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%x
// CHECK-NEXT: dist.launch @copy<[4]>(%y
