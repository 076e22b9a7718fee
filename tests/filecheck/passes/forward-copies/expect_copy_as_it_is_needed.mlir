// RUN: fuseir-opt %s -p forward-copies --check-legality --verify-each --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p forward-copies --remarks-filter=forward-copies --split-input-file 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// What was copied changes before the copy is read.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.launch @neg<[4]>(%z: read #t, %x: write #t) : (!s, !s)
dist.launch @neg<[4]>(%c: read #t, %z: write #t) : (!s, !s)
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// REMARK: [analysis] forward-copies: store %c is a copy that is made: '@neg' reads it when "x", which was copied, has changed

// -----

// A reader changes what was copied itself: its points would read what others have changed.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
%back = dist.view %c (d0) -> (d0 * -1 + 7) : !s -> !dist.view<8xf64>
dist.launch @copy<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.launch @neg<[4]>(%back: read #t, %x: write #t) : (!dist.view<8xf64>, !s)
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// REMARK: [analysis] forward-copies: store %c is a copy that is made: '@neg' reads it when "x"

// -----

// The application can still read it.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.launch @neg<[4]>(%c: read #t, %z: write #t) : (!s, !s)

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// REMARK: [analysis] forward-copies: store %c is a copy that is made: the world outside can see it

// -----

// Some of what is read was not copied.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
%low = dist.view %x (d0) -> (d0) : !s -> !v
%six = dist.view %c (d0) -> (d0) : !s -> !v
dist.launch @neg<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.launch @copy<[4]>(%low: read #t, %six: write #t) : (!v, !v)
dist.launch @neg<[4]>(%c: read #t, %z: write #t) : (!s, !s)
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// REMARK: [analysis] forward-copies: store %c is a copy that is made: '@neg' reads other elements of it as well

// -----

// Some of the copy is changed.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
%six = dist.view %c (d0) -> (d0) : !s -> !v
%low = dist.view %z (d0) -> (d0) : !s -> !v
dist.launch @copy<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.launch @neg<[4]>(%low: read #t, %six: write #t) : (!v, !v)
dist.launch @neg<[4]>(%c: read #t, %z: write #t) : (!s, !s)
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// REMARK: [analysis] forward-copies: store %c is a copy that is made: '@neg' changes it

// -----

// Python code gets the store it was given.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.launch @opaque<[4]>(%c: read #t, %z: write #t) : (!s, !s)
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// REMARK: [analysis] forward-copies: store %c is a copy that is made: '@opaque' cannot be given another store to read

// -----

// A member of a fused task is as good as written down.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.fused_task<[4]> {
  dist.launch @neg<[4]>(%c: read #t, %z: write #t) : (!s, !s)
}
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// REMARK: [analysis] forward-copies: store %c is a copy that is made: '@neg' cannot be given another store to read

// -----

// The stores change places.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
%y = dist.store "y" : !s
dist.launch @copy<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.swap %x, %y : !s
dist.launch @neg<[4]>(%c: read #t, %z: write #t) : (!s, !s)
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// REMARK: [analysis] forward-copies: store %c is a copy that is made: versions of a store are exchanged

// -----

// Every other element lies further apart than in its copy.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
%big = dist.store "big" : !dist.store<16xf64>
%even = dist.view %big (d0) -> (d0 * 2) : !dist.store<16xf64> -> !dist.view<8xf64>
dist.launch @copy<[4]>(%even: read #t, %c: write #t) : (!dist.view<8xf64>, !s)
dist.launch @neg<[4]>(%c: read #t, %z: write #t) : (!s, !s)
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// REMARK: [analysis] forward-copies: store %c is a copy that is made: what was copied has another order in memory

// -----

// The four points copy four elements.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
#h = #dist.tiling<[1]>
dist.launch @copy<[4]>(%x: read #h, %c: write #h) : (!s, !s)
dist.launch @neg<[4]>(%c: read #h, %z: write #h) : (!s, !s)
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// CHECK:  dist.launch @neg<[4]>(%c: read

// -----

// Tiles are copied, but the last one comes first: element for element this is another copy.
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
func.func @neg(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %n = arith.negf %a : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%x = dist.store "x" : !s
%z = dist.store "z" : !s
%c = dist.store : !s
#r = #dist.tiling<[2] + [6], (d0) -> (d0 * -1)>
dist.launch @copy<[4]>(%x: read #r, %c: write #t) : (!s, !s)
dist.launch @neg<[4]>(%c: read #t, %z: write #t) : (!s, !s)
dist.release %c : !s

// CHECK:  dist.launch @copy<[4]>({{.*}}write
// CHECK:  dist.launch @neg<[4]>(%c: read
