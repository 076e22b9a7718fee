// RUN: fuseir-opt %s -p 'extract-traces{min-length=2}' | filecheck %s
// RUN: fuseir-opt %s -p 'extract-traces{min-length=3}' | filecheck %s --check-prefix=THREE

// Five times around a loop of two: five replays. Where a trace needs three operations, two periods make one; the last stays outside.
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

%x = dist.store "x" : !s
%y = dist.store "y" : !s
func.func private @trace()
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[2]>(%y: read #dist.tiling<[4]>, %x: write #dist.tiling<[4]>) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[2]>(%y: read #dist.tiling<[4]>, %x: write #dist.tiling<[4]>) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[2]>(%y: read #dist.tiling<[4]>, %x: write #dist.tiling<[4]>) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[2]>(%y: read #dist.tiling<[4]>, %x: write #dist.tiling<[4]>) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[2]>(%y: read #dist.tiling<[4]>, %x: write #dist.tiling<[4]>) : (!s, !s)

// The name is taken.
// CHECK: dist.trace @trace_1(%x: !dist.store<8xf64>, %y: !dist.store<8xf64>) {
// CHECK-COUNT-2: dist.launch
// CHECK: }
// CHECK-COUNT-5: dist.replay @trace_1(%x, %y)
// CHECK-NOT: dist.launch
// CHECK-NOT: dist.replay

// THREE: dist.trace @trace_1
// THREE-COUNT-4: dist.launch
// THREE: }
// THREE-COUNT-2: dist.replay @trace_1
// THREE-COUNT-2: dist.launch
// THREE-NOT: dist.replay
