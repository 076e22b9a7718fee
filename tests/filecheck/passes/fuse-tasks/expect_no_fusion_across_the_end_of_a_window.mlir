// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// A fence ends the window.
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
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.fence
dist.launch @copy<[4]>(%y: read #t, %z: write #t) : (!s, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @copy
// CHECK-NEXT: dist.fence
// CHECK-NEXT: dist.launch @copy

// -----

// An opaque task fuses with nobody. What it has nothing to do with may pass it; what needs its result waits.
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
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
func.func @double(%x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%x : tensor<?xf64>) {
  ^bb0(%xe: f64):
    %s = arith.addf %xe, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @double<[4]>(%y: read_write #t) : (!s)
dist.launch @opaque<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @double<[4]>(%y: read_write #t) : (!s)
dist.launch @double<[4]>(%z: read_write #t) : (!s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @double<[4]>(%y
// CHECK-NEXT: dist.launch @double<[4]>(%y
// CHECK-NEXT: }
// CHECK-NEXT: dist.launch @opaque
// CHECK-NEXT: dist.launch @double<[4]>(%z

// -----

// A fused task that is there already ends it too: running the pass twice changes nothing.
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
func.func @double(%x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%x : tensor<?xf64>) {
  ^bb0(%xe: f64):
    %s = arith.addf %xe, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
  dist.launch @double<[4]>(%y: read_write #t) : (!s)
}
dist.launch @double<[4]>(%y: read_write #t) : (!s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: }
// CHECK-NEXT: dist.launch @double

// -----

// And so does a swap: what stands on its two sides is about different stores, under one name.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @double(%x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%x : tensor<?xf64>) {
  ^bb0(%xe: f64):
    %s = arith.addf %xe, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.swap %x, %y : !s
dist.launch @double<[4]>(%x: read_write #t) : (!s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @double
// CHECK-NEXT: dist.swap %x, %y
// CHECK-NEXT: dist.launch @double
