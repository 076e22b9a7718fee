// RUN: fuseir-opt %s -p inline-traces --split-input-file | filecheck %s

// Each replay becomes what its trace holds; a view that is there before is used again.
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
  dist.launch @scale<[4]>(%v: read #t, %q: write #t) scalars(%c) {note} : (!dist.view<8xf64>, !s, f64)
  dist.swap %p, %q : !s
}
dist.trace @unused() {
  dist.fence
}
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%a = dist.scalar "a" = 2.0 : f64
dist.replay @step(%x, %y, %a) : (!s, !s, f64)
dist.replay @step(%y, %x, %a) : (!s, !s, f64)
dist.replay @step(%x, %y, %a) : (!s, !s, f64)

// CHECK-NOT: dist.trace
// CHECK: %a = dist.scalar
// CHECK-NEXT: [[V:%[^ ]+]] = dist.view %x (d0) -> (d0 * -1 + 7)
// CHECK-NEXT: dist.launch @scale<[4]>([[V]]: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>) scalars(%a) {note}
// CHECK-NEXT: dist.swap %x, %y
// CHECK-NEXT: [[W:%[^ ]+]] = dist.view %y (d0) -> (d0 * -1 + 7)
// CHECK-NEXT: dist.launch @scale<[4]>([[W]]: read #dist.tiling<[2]>, %x: write #dist.tiling<[2]>) scalars(%a) {note}
// CHECK-NEXT: dist.swap %y, %x
// CHECK-NEXT: dist.launch @scale<[4]>([[V]]: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>) scalars(%a) {note}
// CHECK-NEXT: dist.swap %x, %y
// CHECK-NOT: dist.fence
// CHECK-NOT: dist.replay

// -----

// A program without traces stays as it is.
%x = dist.store "x" : !dist.store<8xf64>
dist.fence

// CHECK: %x = dist.store "x"
// CHECK-NEXT: dist.fence
