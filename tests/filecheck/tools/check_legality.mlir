// RUN: fuseir-opt %s --split-input-file --check-legality -p fuse-tasks,eliminate-temporaries --verify-diagnostics=expected -o /dev/null
// RUN: not fuseir-opt %s --split-input-file --check-legality -o /dev/null 2>&1 | filecheck %s
// RUN: not fuseir-opt %s --check-legality --disable-verify 2>&1 | filecheck %s --check-prefix=USAGE

// Fused tasks are held against their members, launched one after the other.

// USAGE: error: --check-legality needs a program that is verified: drop --disable-verify

// CHECK:      check_legality.mlir:35:1: error: a dependence joins two points of the fused task: '@negate' writes element [7] of store "z" at point [3],
// CHECK-SAME:   '@negate' reads it at point [0] [FIR-E012]
// CHECK-NEXT:   dist.fused_task<[4]> {
// CHECK-NEXT:   ^
// CHECK-NEXT: note: the earlier, '@negate', is launched at {{.*}}check_legality.mlir:36:3
// CHECK-NEXT: note: the later, '@negate', is launched at {{.*}}check_legality.mlir:37:3
!s = !dist.store<8xf64>
!v = !dist.view<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @negate(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %n = arith.negf %xe : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
%reversed = dist.view %z (d0) -> (-d0 + 7) : !s -> !v
dist.fence
// The first point reads what the last one writes.
// expected-error @below {{'@negate' writes element [7] of store "z" at point [3], '@negate' reads it at point [0]}}
dist.fused_task<[4]> {
  dist.launch @negate<[4]>(%x: read #t, %z: write #t) : (!s, !s)
  dist.launch @negate<[4]>(%reversed: read #t, %y: write #t) : (!v, !s)
}

// -----

!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @negate(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %n = arith.negf %xe : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @negate<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @negate<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.release %z : !s

// -----

// CHECK:      check_legality.mlir:84:1: error: store %z ends with other contents than in the program as written: element [0] was last changed by
// CHECK-SAME:   '@negate' there, by nothing here [FIR-E012]
// CHECK-NEXT:   %z = dist.store : !s
// CHECK-NEXT:   ^
// CHECK-NEXT: note: there, '@negate', is launched at {{.*}}check_legality.mlir:86:3
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @negate(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %n = arith.negf %xe : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%y = dist.store "y" : !s
// Nobody releases it: it is no temporary.
// expected-error @below {{store %z ends with other contents}}
%z = dist.store : !s
dist.fused_task<[4]> temporaries(%z : !s) {
  dist.launch @negate<[4]>(%x: read #t, %z: write #t) : (!s, !s)
  dist.launch @negate<[4]>(%z: read #t, %y: write #t) : (!s, !s)
}
