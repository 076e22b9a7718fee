// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p 'fuse-tasks{reductions=false}' --split-input-file | filecheck %s --check-prefix=OFF

// Each element of %z is folded into by one point, which may go on with the result at once.
// The paper (OFF) refuses a reduction beside anything else.
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
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @acc
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @acc
// OFF-NEXT: dist.launch @copy

// -----

// In the other order: a read, then a reduction.
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
dist.launch @copy<[4]>(%z: read #t, %y: write #t) : (!s, !s)
dist.launch @acc<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @acc
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @copy
// OFF-NEXT: dist.launch @acc

// -----

// A write, then a reduction: what is written is where the fold begins.
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
dist.launch @copy<[4]>(%y: read #t, %z: write #t) : (!s, !s)
dist.launch @acc<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @acc
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @copy
// OFF-NEXT: dist.launch @acc

// -----

// Reductions with two operators.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @acc(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @top(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.maximumf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @acc<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)
dist.launch @top<[4]>(%y: read #t, %z: reduce<max> #t) : (!s, !s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @acc
// CHECK-NEXT: dist.launch @top
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @acc
// OFF-NEXT: dist.launch @top

// -----

// A reduction of all to one element, over one point.
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
dist.launch @sum<[1]>(%x: read #dist.none, %n: reduce<add> #dist.none) : (!s, !one)
dist.launch @scale<[1]>(%n: read #dist.none, %y: read_write #dist.none) : (!one, !s)

// CHECK: dist.fused_task<[1]> {
// CHECK-NEXT: dist.launch @sum
// CHECK-NEXT: dist.launch @scale
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @sum
// OFF-NEXT: dist.launch @scale
