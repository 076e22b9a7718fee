// RUN: fuseir-opt %s -p 'fuse-tasks{rename=false}' --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p 'fuse-tasks{rename=false pointwise=false}' --split-input-file | filecheck %s --check-prefix=OFF

// Each point writes two elements, then reads the first of them. The pieces differ, but no other point has a part in either.
// By equality of partitions (OFF) the two are kept apart.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!half = !dist.view<4xf64>
#one = #dist.tiling<[1]>
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
%y4 = dist.store "y4" : !dist.store<4xf64>
%even = dist.view %z (d0) -> (d0 * 2) : !s -> !half
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%even: read #one, %y4: write #one) : (!half, !dist.store<4xf64>)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @copy
// OFF-NEXT: dist.launch @copy

// -----

// The same for what is read first and written then: an anti dependence at one point.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!half = !dist.view<4xf64>
#one = #dist.tiling<[1]>
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
%y4 = dist.store "y4" : !dist.store<4xf64>
%odd = dist.view %z (d0) -> (d0 * 2 + 1) : !s -> !half
dist.launch @copy<[4]>(%z: read #t, %x: write #t) : (!s, !s)
dist.launch @copy<[4]>(%y4: read #one, %odd: write #one) : (!dist.store<4xf64>, !half)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @copy
// OFF-NEXT: dist.launch @copy

// -----

// Views that meet, in pieces that do not: two tiles at either end of six elements that the views share.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!six = !dist.view<6xf64>
#one = #dist.tiling<[1]>
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
%y6 = dist.store "y6" : !dist.store<6xf64>
%front = dist.view %z (d0) -> (d0) : !s -> !six
%back = dist.view %z (d0) -> (d0 + 2) : !s -> !six
dist.launch @copy<[2]>(%y6: read #one, %front: write #one) : (!dist.store<6xf64>, !six)
dist.launch @copy<[2]>(%back: read #one, %y6: write #one) : (!six, !dist.store<6xf64>)

// CHECK: dist.fused_task<[2]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @copy
// OFF-NEXT: dist.launch @copy

// -----

// Over one point there is no other: any two launches fuse.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!six = !dist.view<6xf64>
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
%y6 = dist.store "y6" : !dist.store<6xf64>
%back = dist.view %z (d0) -> (d0 + 2) : !s -> !six
dist.launch @copy<[1]>(%x: read #dist.none, %z: write #dist.none) : (!s, !s)
dist.launch @copy<[1]>(%back: read #dist.none, %y6: write #dist.none) : (!six, !dist.store<6xf64>)

// CHECK: dist.fused_task<[1]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @copy
// OFF-NEXT: dist.launch @copy

// -----

// Over two points the second task needs, at the first point, what the second one writes: refused by either rule.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!six = !dist.view<6xf64>
#four = #dist.tiling<[4]>
#three = #dist.tiling<[3]>
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
%y6 = dist.store "y6" : !dist.store<6xf64>
%back = dist.view %z (d0) -> (d0 + 2) : !s -> !six
dist.launch @copy<[2]>(%x: read #four, %z: write #four) : (!s, !s)
dist.launch @copy<[2]>(%back: read #three, %y6: write #three) : (!six, !dist.store<6xf64>)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @copy
// CHECK-NEXT: dist.launch @copy

// OFF-NOT: dist.fused_task
// OFF: dist.launch @copy
// OFF-NEXT: dist.launch @copy
