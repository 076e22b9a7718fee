// RUN: fuseir-opt %s -p 'extract-traces{min-length=3}' | filecheck %s
// RUN: fuseir-opt %s -p 'extract-traces{min-length=3}' --verify-roundtrip -o /dev/null --remarks 2>&1 | filecheck %s --check-prefix=REMARKS

// A loop with fresh temporaries and exchanged stores: the same under renaming each time, views and scalars included. What only
// stands in it is declared before the replays, and a trace has views of its own.
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

func.func private @look(tensor<?xf64>)

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%a = dist.scalar "a" = 2.0 : f64
%b = dist.scalar "b" = 3.0 : f64
dist.launch @look<[1]>(%x: read #dist.none) : (!s)
%t0 = dist.store : !s
%v0 = dist.view %t0 (d0) -> (-d0 + 7) : !s -> !dist.view<8xf64>
dist.launch @scale<[4]>(%x: read #t, %t0: write #t) scalars(%a) : (!s, !s, f64)
dist.launch @copy<[4]>(%v0: read #t, %y: write #t) {note} : (!dist.view<8xf64>, !s)
dist.release %t0 : !s
%t1 = dist.store : !s
%v1 = dist.view %t1 (d0) -> (-d0 + 7) : !s -> !dist.view<8xf64>
dist.launch @scale<[4]>(%y: read #t, %t1: write #t) scalars(%b) : (!s, !s, f64)
dist.launch @copy<[4]>(%v1: read #t, %x: write #t) {note} : (!dist.view<8xf64>, !s)
dist.release %t1 : !s
dist.fence

// CHECK-LABEL: func.func private @look
// CHECK: dist.trace @trace(%x: !dist.store<8xf64>, %t0: !dist.store<8xf64>, %a: f64, %y: !dist.store<8xf64>) {
// CHECK-NEXT: dist.launch @scale<[4]>(%x: read #dist.tiling<[2]>, %t0: write #dist.tiling<[2]>) scalars(%a)
// CHECK-NEXT: %v0 = dist.view %t0 (d0) -> (d0 * -1 + 7)
// CHECK-NEXT: dist.launch @copy<[4]>(%v0: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>) {note}
// CHECK-NEXT: dist.release %t0
// CHECK-NEXT: }
// CHECK: dist.launch @look
// CHECK-NEXT: %t0 = dist.store
// CHECK-NEXT: dist.replay @trace(%x, %t0, %a, %y) :
// CHECK-NEXT: %t1 = dist.store
// CHECK-NEXT: dist.replay @trace(%y, %t1, %b, %x) :
// CHECK-NEXT: dist.fence
// CHECK-NOT: dist.launch

// REMARKS: :36:1: remark: [passed] extract-traces: 3 operations that stand in the program 2 times became '@trace' [FIR-N170]
// REMARKS: remark: [analysis] extract-traces: 6 of 8 operations are in replays, of 1 trace [FIR-N172]

