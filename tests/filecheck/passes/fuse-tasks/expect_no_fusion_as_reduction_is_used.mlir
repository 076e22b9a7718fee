// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// A reduction by all points, then a read of its result: complete only after the last of them.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!one = !dist.store<f64>
#id = affine_map<(d0) -> (d0)>
func.func @sum(%x: tensor<?xf64>, %n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#id, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%n : tensor<f64>) {
  ^bb0(%xe: f64, %ne: f64):
    %s = arith.addf %ne, %xe : f64
    linalg.yield %s : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
func.func @scale(%n: tensor<f64>, %x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> ()>, #id], iterator_types = ["parallel"]}
      ins(%n : tensor<f64>) outs(%x : tensor<?xf64>) {
  ^bb0(%ne: f64, %xe: f64):
    %s = arith.mulf %xe, %ne : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
%n = dist.store "n" : !one
dist.launch @sum<[4]>(%x: read #t, %n: reduce<add> #dist.none) : (!s, !one)
dist.launch @scale<[4]>(%n: read #dist.none, %y: read_write #t) : (!one, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @sum
// CHECK-NEXT: dist.launch @scale

// -----

// A read by all points, then a reduction: another point may still have to read.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!one = !dist.store<f64>
#id = affine_map<(d0) -> (d0)>
func.func @sum(%x: tensor<?xf64>, %n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#id, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%n : tensor<f64>) {
  ^bb0(%xe: f64, %ne: f64):
    %s = arith.addf %ne, %xe : f64
    linalg.yield %s : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
func.func @scale(%n: tensor<f64>, %x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> ()>, #id], iterator_types = ["parallel"]}
      ins(%n : tensor<f64>) outs(%x : tensor<?xf64>) {
  ^bb0(%ne: f64, %xe: f64):
    %s = arith.mulf %xe, %ne : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
%n = dist.store "n" : !one
dist.launch @scale<[4]>(%n: read #dist.none, %y: read_write #t) : (!one, !s)
dist.launch @sum<[4]>(%x: read #t, %n: reduce<add> #dist.none) : (!s, !one)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @scale
// CHECK-NEXT: dist.launch @sum

// -----

// A reduction, then a read through other pieces.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @acc(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @acc<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @acc
// CHECK-NEXT: dist.launch @copy

// -----

// A reduction, then a write through other pieces.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @acc(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @acc<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)
dist.launch @copy<[4]>(%y: read #u, %z: write #u) : (!s, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @acc
// CHECK-NEXT: dist.launch @copy

// -----

// A read, then a reduction through other pieces.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @acc(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)
dist.launch @acc<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @copy
// CHECK-NEXT: dist.launch @acc

// -----

// A write, then a reduction through other pieces.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @acc(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @copy<[4]>(%y: read #u, %z: write #u) : (!s, !s)
dist.launch @acc<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @copy
// CHECK-NEXT: dist.launch @acc
