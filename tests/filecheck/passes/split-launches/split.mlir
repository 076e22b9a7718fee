// RUN: fuseir-opt %s -p split-launches{smallest-bytes=1} --verify-each --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p split-launches{smallest-bytes=1} --remarks-filter=split-launches --split-input-file 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// What is rolled by one is read as two slices: at each point, the elements that it had before. Nobody needs the copy.
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
dist.launch @neg<[4]>(%rolled: read #t, %z: write #t) : (!s, !s)
dist.release %rolled : !s

// CHECK-DAG:  [[LAST:%.*]] = dist.view %x (d0) -> (d0 + 7) : !dist.store<8xf64> -> !dist.view<1xf64>
// CHECK-DAG:  [[REST:%.*]] = dist.view %x (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<7xf64>
// CHECK-DAG:  [[Z0:%.*]] = dist.view %z (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<1xf64>
// CHECK-DAG:  [[Z1:%.*]] = dist.view %z (d0) -> (d0 + 1) : !dist.store<8xf64> -> !dist.view<7xf64>
// CHECK-NOT:  @parts
// CHECK:      dist.launch @neg<[4]>([[LAST]]: read #dist.tiling<[2]>, [[Z0]]: write #dist.tiling<[2]>)
// CHECK-NEXT: dist.launch @neg<[4]>([[REST]]: read #dist.tiling<[2] + [-1]>, [[Z1]]: write #dist.tiling<[2] + [-1]>)
// CHECK-NOT:  dist.release
// REMARK:     [passed] split-launches: '@neg' became 2 launches, on the pieces that a store is put together from [FIR-N190]

// -----

// x += np.roll(x, 1): other points read what a point would overwrite, so a fresh version of "x" is written.
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
dist.launch @add<[4]>(%rolled: read #t, %x: read_write #t) : (!s, !s)
dist.release %rolled : !s

// CHECK:      func.func @add_apart_0(%x: tensor<?xf64>, %z: tensor<?xf64>, %z_1: tensor<?xf64>)
// CHECK-SAME:   dist.privileges = ["read", "read", "write"]
// CHECK:        linalg.generic {{.*}} ins(%x, %z : {{.*}} outs(%z_1 :
// CHECK:      [[FRESH:%x_.*]] = dist.store : !dist.store<8xf64>
// CHECK:      dist.launch @add_apart_0<[4]>({{%.*}}: read #{{.*}}, {{%.*}}: read #{{.*}}, {{%.*}}: write #
// CHECK-NEXT: dist.launch @add_apart_0
// CHECK-NEXT: dist.swap %x, [[FRESH]]
// CHECK-NEXT: dist.release [[FRESH]]
