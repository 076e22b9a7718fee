// RUN: fuseir-opt %s -p compose-kernels --split-input-file --remarks-filter='FIR-N12[23]' --verify-diagnostics=expected | filecheck %s

// One point: all dependences stay at it. But the first two tasks and the third use overlapping pieces of %z, so the third gets a launch of
// its own, and the fourth goes with it: it reads what that one wrote.
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
%y = dist.store "y" : !dist.store<6xf64>
%z = dist.store "z" : !s
%front = dist.view %z (d0) -> (d0) : !s -> !dist.view<6xf64>
%back = dist.view %z (d0) -> (d0 + 2) : !s -> !dist.view<6xf64>
dist.fused_task<[1]> {
  dist.launch @copy<[1]>(%x: read #dist.none, %z: write #dist.none) : (!s, !s)
  dist.launch @copy<[1]>(%z: read #dist.none, %x: write #dist.none) : (!s, !s)
  // expected-remark @+1 {{a fused task became several launches: '@copy' is in another kernel than '@copy', as store "z" is 'write' through none, then 'write' through none of view (d0) -> (d0 + 2) [FIR-N122]}}
  dist.launch @copy<[1]>(%y: read #dist.none, %back: write #dist.none) : (!dist.store<6xf64>, !dist.view<6xf64>)
  dist.launch @copy<[1]>(%back: read #dist.none, %y: write #dist.none) : (!dist.view<6xf64>, !dist.store<6xf64>)
}

// CHECK: dist.launch @fused_0<[1]>(%x: read_write #dist.none, %z: write #dist.none)
// CHECK-NEXT: dist.launch @fused_0<[1]>(%y: read_write #dist.none, %back: write #dist.none)

// -----

// Pieces nest at each point: of a tile of two, the second task reads the first element.
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
%y = dist.store "y" : !dist.store<4xf64>
%z = dist.store "z" : !s
#one = #dist.tiling<[1]>
%even = dist.view %z (d0) -> (d0 * 2) : !s -> !dist.view<4xf64>
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
  // expected-remark @+1 {{[FIR-N122]}}
  dist.launch @copy<[4]>(%even: read #one, %y: write #one) : (!dist.view<4xf64>, !dist.store<4xf64>)
}

// CHECK: dist.launch @copy<[4]>(%x: read {{.*}}, %z: write
// CHECK-NEXT: dist.launch @copy<[4]>(%even: read {{.*}}, %y: write

// -----

// Pieces with no element in common share a kernel, although their views meet: a point's first element, and its second.
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

%x = dist.store "x" : !dist.store<4xf64>
%y = dist.store "y" : !dist.store<4xf64>
%z = dist.store "z" : !s
#one = #dist.tiling<[1]>
#first = #dist.tiling<[1], (d0) -> (d0 * 2)>
#second = #dist.tiling<[1] + [1], (d0) -> (d0 * 2)>
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #one, %z: write #first) : (!dist.store<4xf64>, !s)
  dist.launch @copy<[4]>(%z: read #second, %y: write #one) : (!s, !dist.store<4xf64>)
}

// CHECK: {dist.privileges = ["read", "write", "read", "write"]}
// CHECK-NOT: dist.launch @copy
// CHECK: dist.launch @fused_0<[4]>(%x: read {{.*}}, %z: write {{.*}}, %z: read {{.*}}, %y: write

// -----

// A temporary on both sides of a cut gets memory; one that a single kernel uses does not.
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
%y = dist.store "y" : !dist.store<6xf64>
%t1 = dist.store : !s
%t2 = dist.store : !s
%front = dist.view %t2 (d0) -> (d0) : !s -> !dist.view<6xf64>
dist.fused_task<[1]> temporaries(%t1 : !s, %t2 : !s) {
  dist.launch @copy<[1]>(%x: read #dist.none, %t1: write #dist.none) : (!s, !s)
  // expected-remark @+1 {{store %t2 needs memory after all: '@copy' and '@copy' use it in different kernels [FIR-N123]}}
  dist.launch @copy<[1]>(%t1: read #dist.none, %t2: write #dist.none) : (!s, !s)
  // expected-remark @+1 {{[FIR-N122]}}
  dist.launch @copy<[1]>(%front: read #dist.none, %y: write #dist.none) : (!dist.view<6xf64>, !dist.store<6xf64>)
}
dist.release %t1 : !s
dist.release %t2 : !s

// CHECK: {dist.privileges = ["read", "no_access", "write"]}
// CHECK: dist.launch @fused_0<[1]>(%x: read #dist.none, %t1: no_access #dist.none, %t2: write #dist.none)
// CHECK-NEXT: dist.launch @copy<[1]>(%front: read #dist.none, %y: write #dist.none)
