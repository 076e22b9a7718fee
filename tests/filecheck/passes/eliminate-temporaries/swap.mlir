// RUN: fuseir-opt %s -p eliminate-temporaries --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p eliminate-temporaries --split-input-file --remarks-filter=.* -o /dev/null 2>&1 | filecheck %s --check-prefix=REMARK

// A swap moves contents, so what is wanted of one store before it is what is wanted of the other behind it.

// %fresh is released, and yet no temporary: what it holds is in "x" afterwards. What "x" holds before is %fresh's, and nobody's.
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

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%fresh = dist.store : !s
dist.launch @copy<[4]>(%y: read #t, %x: write #t) : (!s, !s)
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%y: read #t, %fresh: write #t) : (!s, !s)
}
dist.swap %x, %fresh : !s
dist.release %fresh : !s

// CHECK: %fresh = dist.store
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%y: read #dist.tiling<[2]>, %fresh: write #dist.tiling<[2]>)
// CHECK-NEXT: }
// CHECK-NEXT: dist.swap %x, %fresh
// REMARK: store %fresh needs memory: it is swapped into "x", which the world outside can see [FIR-N113]
// REMARK: '@copy' is erased: nobody wants its results [FIR-N115]

// -----

// A store with a name is no temporary, even where a swap takes away what it holds.
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

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%fresh = dist.store : !s
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%y: read #t, %x: write #t) : (!s, !s)
  dist.launch @copy<[4]>(%x: read #t, %fresh: write #t) : (!s, !s)
}
dist.swap %x, %fresh : !s
dist.release %fresh : !s

// CHECK: %fresh = dist.store
// CHECK-NEXT: dist.fused_task<[4]> {

// -----

// The launch that needs %a reads %b; the swap goes when nobody needs either store: the second one here.
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

%x = dist.store "x" : !s
%a = dist.store : !s
%b = dist.store : !s
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %a: write #t) : (!s, !s)
  dist.launch @copy<[4]>(%x: read #t, %b: write #t) : (!s, !s)
}
dist.swap %a, %b : !s
dist.launch @copy<[4]>(%b: read #t, %x: write #t) : (!s, !s)
dist.swap %a, %b : !s
dist.release %a : !s
dist.release %b : !s

// CHECK: %b = dist.store
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%x: read #dist.tiling<[2]>, %a: write #dist.tiling<[2]>)
// CHECK-NEXT: }
// CHECK-NEXT: dist.swap %a, %b
// CHECK-NEXT: dist.launch @copy<[4]>(%b: read
// CHECK-NEXT: dist.release %a
// REMARK: store %a needs memory: '@copy' needs it later [FIR-N114]
