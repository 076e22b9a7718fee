// RUN: fuseir-opt %s -p 'extract-traces{min-length=2}' --verify-diagnostics=expected --remarks | filecheck %s

// The second copy reads what the first wrote, or what it read: these are two fragments, each of which is there twice but the last.
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
%z = dist.store "z" : !s
// expected-remark @+2 {{2 operations that stand in the program 2 times became '@trace'}}
// expected-remark @+1 {{4 of 9 operations are in replays, of 1 trace [FIR-N172]}}
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[2]>(%y: read #dist.tiling<[4]>, %z: write #dist.tiling<[4]>) : (!s, !s)
dist.fence
// expected-remark @+1 {{2 operations that stand elsewhere too bind other stores here [FIR-N171]}}
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[2]>(%x: read #dist.tiling<[4]>, %z: write #dist.tiling<[4]>) : (!s, !s)
dist.swap %x, %z : !s
dist.launch @copy<[4]>(%z: read #t, %x: write #t) : (!s, !s)
dist.launch @copy<[2]>(%x: read #dist.tiling<[4]>, %y: write #dist.tiling<[4]>) : (!s, !s)
dist.release %x : !s

// CHECK: dist.trace @trace(
// CHECK: dist.replay @trace(%x, %y, %z)
// CHECK-NEXT: dist.fence
// CHECK-NEXT: dist.launch
// CHECK-NEXT: dist.launch
// CHECK-NEXT: dist.swap
// CHECK-NEXT: dist.replay @trace(%z, %x, %y)
