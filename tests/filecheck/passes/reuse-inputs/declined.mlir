// RUN: fuseir-opt %s -p reuse-inputs --split-input-file | filecheck %s

// An output of the program keeps its memory, although it is released; so does what an opaque task has seen, what is read later, what is
// read through another partition, and what is small.
!s = !dist.store<16384xf64>
!small = !dist.store<64xf64>
#t = #dist.tiling<[4096]>
#u = #dist.tiling<[4096] + [0], (d0) -> (d0 * -1 + 3)>
#w = #dist.tiling<[16]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %v: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @look(tensor<?xf64>) -> ()
%output = dist.store "output" : !s
%seen = dist.store "seen" {dist.input_only} : !s
%later = dist.store "later" {dist.input_only} : !s
%other = dist.store "other" {dist.input_only} : !s
%kept = dist.store "kept" {dist.input_only} : !s
%little = dist.store "little" {dist.input_only} : !small
%z0 = dist.store "z0" : !s
%z1 = dist.store "z1" : !s
%z2 = dist.store "z2" : !s
%z3 = dist.store "z3" : !s
%z4 = dist.store "z4" : !s
%z5 = dist.store "z5" : !small
dist.launch @look<[4]>(%seen: read #t) : (!s)
dist.launch @copy<[4]>(%output: read #t, %z0: write #t) : (!s, !s)
dist.launch @copy<[4]>(%seen: read #t, %z1: write #t) : (!s, !s)
dist.launch @copy<[4]>(%later: read #t, %z2: write #t) : (!s, !s)
dist.launch @copy<[4]>(%other: read #t, %z3: write #u) : (!s, !s)
dist.launch @copy<[4]>(%kept: read #t, %z4: write #t) : (!s, !s)
dist.launch @copy<[4]>(%little: read #w, %z5: write #w) : (!small, !small)
dist.launch @look<[4]>(%later: read #t) : (!s)
dist.release %output : !s
dist.release %seen : !s
dist.release %later : !s
dist.release %other : !s
dist.release %little : !small

// CHECK-NOT:   dist.swap
// CHECK:       dist.launch @copy<[4]>(%output: read {{.*}}: write
// CHECK:       dist.launch @copy<[4]>(%seen: read {{.*}}: write
// CHECK:       dist.launch @copy<[4]>(%later: read {{.*}}: write
// CHECK:       dist.launch @copy<[4]>(%other: read {{.*}}: write
// CHECK:       dist.launch @copy<[4]>(%kept: read {{.*}}: write
// CHECK:       dist.launch @copy<[4]>(%little: read {{.*}}: write
// CHECK-NOT:   dist.swap
// CHECK:       // -----

// -----

// A view of a store, and a store that a swap moves, are left alone as well.
!s = !dist.store<16384xf64>
#t = #dist.tiling<[4096]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %v: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" {dist.input_only} : !s
%y = dist.store "y" {dist.input_only} : !s
%z = dist.store "z" : !s
%w = dist.store "w" : !s
%backwards = dist.view %x (d0) -> (d0 * -1 + 16383) : !s -> !dist.view<16384xf64>
dist.swap %y, %w : !s
dist.launch @copy<[4]>(%backwards: read #t, %z: write #t) : (!dist.view<16384xf64>, !s)
dist.launch @copy<[4]>(%y: read #t, %w: write #t) : (!s, !s)
dist.release %x : !s
dist.release %y : !s

// CHECK:      dist.swap %y, %w
// CHECK-NEXT: dist.launch @copy<[4]>(%backwards: read {{.*}}, %z: write
// CHECK-NEXT: dist.launch @copy<[4]>(%y: read {{.*}}, %w: write
// CHECK-NEXT: dist.release

// -----

// The second nest reads mirror images of what the first one would have overwritten: the old contents would have to be kept.
!s = !dist.store<128x128xf64>
#all = #dist.none
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
func.func @mirror(%x: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> attributes {dist.privileges = ["read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %x : tensor<?x?xf64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64, %u: f64):
    %s = arith.addf %a, %b : f64
    linalg.yield %s : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}
%x = dist.store "x" {dist.input_only} : !s
%z = dist.store "z" : !s
dist.launch @mirror<[1]>(%x: read #all, %z: write #all) : (!s, !s)
dist.release %x : !s

// CHECK:      func.func @mirror(%x: tensor<?x?xf64>, %z: tensor<?x?xf64>)
// CHECK:      dist.launch @mirror<[1]>(%x: read {{.*}}, %z: write
// CHECK-NEXT: dist.release %x
