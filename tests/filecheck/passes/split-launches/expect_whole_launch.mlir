// RUN: fuseir-opt %s -p split-launches{smallest-bytes=1} --verify-each --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p split-launches{smallest-bytes=1} --remarks-filter=split-launches --split-input-file 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// What was copied has changed.
!s = !dist.store<8xf64>
!one = !dist.view<1xf64>
!seven = !dist.view<7xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[1]>
#id = affine_map<(d0) -> (d0)>
func.func @parts(%x: tensor<?xf64>, %a: tensor<?xf64>, %y: tensor<?xf64>, %b: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
    attributes {dist.privileges = ["read", "write", "read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%a : tensor<?xf64>) {
  ^bb0(%e: f64, %u: f64):
    linalg.yield %e : f64
  } -> tensor<?xf64>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%y : tensor<?xf64>) outs(%b : tensor<?xf64>) {
  ^bb0(%e: f64, %u: f64):
    linalg.yield %e : f64
  } -> tensor<?xf64>
  func.return %r, %s : tensor<?xf64>, tensor<?xf64>
}
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "read_write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %z : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %n = arith.addf %a, %b : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%rolled = dist.store : !s
%last = dist.view %x (d0) -> (d0 + 7) : !s -> !one
%rest = dist.view %x (d0) -> (d0) : !s -> !seven
%first = dist.view %rolled (d0) -> (d0) : !s -> !one
%others = dist.view %rolled (d0) -> (d0 + 1) : !s -> !seven
dist.launch @parts<[4]>(%last: read #u, %first: write #u, %rest: read #t, %others: write #t) : (!one, !one, !seven, !seven)
dist.launch @neg<[4]>(%z: read #t, %x: write #t) : (!s, !s)
dist.launch @neg<[4]>(%rolled: read #t, %z: write #t) : (!s, !s)
dist.release %rolled : !s

// CHECK:  dist.launch @parts<[4]>
// CHECK-NOT: dist.swap
// REMARK: [analysis] split-launches: store %rolled is put together from copies: what was copied has changed when '@neg' reads it [FIR-N191]

// -----

// Two readers: the copy is made once, and read twice.
!s = !dist.store<8xf64>
!one = !dist.view<1xf64>
!seven = !dist.view<7xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[1]>
#id = affine_map<(d0) -> (d0)>
func.func @parts(%x: tensor<?xf64>, %a: tensor<?xf64>, %y: tensor<?xf64>, %b: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
    attributes {dist.privileges = ["read", "write", "read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%a : tensor<?xf64>) {
  ^bb0(%e: f64, %u: f64):
    linalg.yield %e : f64
  } -> tensor<?xf64>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%y : tensor<?xf64>) outs(%b : tensor<?xf64>) {
  ^bb0(%e: f64, %u: f64):
    linalg.yield %e : f64
  } -> tensor<?xf64>
  func.return %r, %s : tensor<?xf64>, tensor<?xf64>
}
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "read_write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %z : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %n = arith.addf %a, %b : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%rolled = dist.store : !s
%last = dist.view %x (d0) -> (d0 + 7) : !s -> !one
%rest = dist.view %x (d0) -> (d0) : !s -> !seven
%first = dist.view %rolled (d0) -> (d0) : !s -> !one
%others = dist.view %rolled (d0) -> (d0 + 1) : !s -> !seven
dist.launch @parts<[4]>(%last: read #u, %first: write #u, %rest: read #t, %others: write #t) : (!one, !one, !seven, !seven)
%y = dist.store "y" : !s
dist.launch @neg<[4]>(%rolled: read #t, %z: write #t) : (!s, !s)
dist.launch @neg<[4]>(%rolled: read #t, %y: write #t) : (!s, !s)
dist.release %rolled : !s

// CHECK:  dist.launch @parts<[4]>
// CHECK-NOT: dist.swap
// REMARK: [analysis] split-launches: store %rolled is put together from copies: 2 launches read it [FIR-N191]

// -----

// Only some of what is now read would be in the fresh version.
!s = !dist.store<8xf64>
!one = !dist.view<1xf64>
!seven = !dist.view<7xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[1]>
#id = affine_map<(d0) -> (d0)>
func.func @parts(%x: tensor<?xf64>, %a: tensor<?xf64>, %y: tensor<?xf64>, %b: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
    attributes {dist.privileges = ["read", "write", "read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%a : tensor<?xf64>) {
  ^bb0(%e: f64, %u: f64):
    linalg.yield %e : f64
  } -> tensor<?xf64>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%y : tensor<?xf64>) outs(%b : tensor<?xf64>) {
  ^bb0(%e: f64, %u: f64):
    linalg.yield %e : f64
  } -> tensor<?xf64>
  func.return %r, %s : tensor<?xf64>, tensor<?xf64>
}
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "read_write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %z : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %n = arith.addf %a, %b : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%rolled = dist.store : !s
%last = dist.view %x (d0) -> (d0 + 7) : !s -> !one
%rest = dist.view %x (d0) -> (d0) : !s -> !seven
%first = dist.view %rolled (d0) -> (d0) : !s -> !one
%others = dist.view %rolled (d0) -> (d0 + 1) : !s -> !seven
dist.launch @parts<[4]>(%last: read #u, %first: write #u, %rest: read #t, %others: write #t) : (!one, !one, !seven, !seven)
%some = dist.view %x (d0) -> (d0) : !s -> !seven
dist.launch @add<[4]>(%others: read #t, %some: read_write #t) : (!seven, !seven)
dist.release %rolled : !s

// CHECK:  dist.launch @parts<[4]>
// CHECK-NOT: dist.swap
// REMARK: [analysis] split-launches: store %rolled is put together from copies: '@add' changes a part of what was copied [FIR-N191]
