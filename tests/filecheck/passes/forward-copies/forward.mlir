// RUN: fuseir-opt %s -p forward-copies --check-legality --verify-each --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p forward-copies --remarks-filter=forward-copies --split-input-file 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// What a stencil reads before it changes "p": views of the copy become views of "p".
!s = !dist.store<8xf64>
!v = !dist.view<6xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %s = arith.addf %a, %b : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%p = dist.store "p" : !s
%pn = dist.store : !s
%work = dist.store : !dist.store<6xf64>
%west = dist.view %pn (d0) -> (d0) : !s -> !v
%east = dist.view %pn (d0) -> (d0 + 2) : !s -> !v
%inner = dist.view %p (d0) -> (d0 + 1) : !s -> !v
dist.launch @copy<[4]>(%p: read #t, %pn: write #t) : (!s, !s)
dist.launch @add<[4]>(%west: read #t, %east: read #t, %work: write #t) : (!v, !v, !dist.store<6xf64>)
dist.launch @copy<[4]>(%work: read #t, %inner: write #t) : (!dist.store<6xf64>, !v)
dist.release %pn : !s
dist.release %work : !dist.store<6xf64>

// CHECK:      %p = dist.store "p"
// CHECK-DAG:  [[WEST:%.*]] = dist.view %p (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<6xf64>
// CHECK-DAG:  [[EAST:%.*]] = dist.view %p (d0) -> (d0 + 2) : !dist.store<8xf64> -> !dist.view<6xf64>
// CHECK-NOT:  dist.launch @copy<[4]>(%p
// CHECK:      dist.launch @add<[4]>([[WEST]]: read {{.*}}, [[EAST]]: read {{.*}}, %work: write
// CHECK-NEXT: dist.launch @copy<[4]>(%work
// REMARK:     [passed] forward-copies: store %pn is no copy any more: 2 reads are of "p", which was copied [FIR-N180]
// REMARK:     [analysis] forward-copies: store "p" is a copy that is made: the world outside can see it [FIR-N181]

// -----

// Slices of slices: %c has elements 6, 5, 4, … of "x" at 0, 1, 2; every other one of them from the second on are 5, 3 and 1. A copy of a
// copy is led back to the first, and what is copied is released behind the last reader.
!s = !dist.store<8xf64>
!c = !dist.store<7xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%z = dist.store "z" : !dist.store<3xf64>
%b = dist.store : !s
%c = dist.store : !c
%back = dist.view %b (d0) -> (d0 * -1 + 6) : !s -> !dist.view<7xf64>
%some = dist.view %c (d0) -> (d0 * 2 + 1) : !c -> !dist.view<3xf64>
dist.launch @copy<[4]>(%x: read #t, %b: write #t) : (!s, !s)
dist.release %x : !s
dist.launch @copy<[4]>(%back: read #t, %c: write #t) : (!dist.view<7xf64>, !c)
dist.release %b : !s
dist.launch @neg<[4]>(%some: read #t, %z: write #t) : (!dist.view<3xf64>, !dist.store<3xf64>)
dist.release %c : !c

// CHECK:      %x = dist.store "x"
// CHECK-DAG:  [[VIEW:%.*]] = dist.view %x (d0) -> (d0 * -2 + 5) : !dist.store<8xf64> -> !dist.view<3xf64>
// CHECK-NOT:  dist.launch @copy
// CHECK:      dist.launch @neg<[4]>([[VIEW]]: read {{.*}}, %z: write
// CHECK-NEXT: dist.release %x

// -----

// Twice: the copy is dead when all of the store is replaced, though it has a name.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%u = dist.store "u" : !s
%un = dist.store "un" : !s
%a = dist.store "a" : !s
dist.launch @copy<[4]>(%u: read #t, %un: write #t) : (!s, !s)
dist.launch @neg<[4]>(%un: read #t, %a: write #t) : (!s, !s)
dist.launch @neg<[4]>(%a: read #t, %u: write #t) : (!s, !s)
dist.launch @copy<[4]>(%u: read #t, %un: write #t) : (!s, !s)

// CHECK:      %a = dist.store "a"
// CHECK-NEXT: dist.launch @neg<[4]>(%u: read {{.*}}, %a: write
// CHECK-NEXT: dist.launch @neg<[4]>(%a: read {{.*}}, %u: write
// CHECK-NEXT: dist.launch @copy<[4]>(%u: read {{.*}}, %un: write
