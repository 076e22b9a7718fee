// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p 'fuse-tasks{promote-scalars=false}' --split-input-file | filecheck %s --check-prefix=OFF

// The square root of a sum, which all points need: each may take it for itself. It writes a copy of its own, so the reader behind may stand in
// one group with it. The sum is complete only after all points, and stays where it is.
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
func.func @root(%n: tensor<f64>, %m: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%n : tensor<f64>) outs(%m : tensor<f64>) {
  ^bb0(%ne: f64, %me: f64):
    %s = math.sqrt %ne : f64
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
%m = dist.store "m" : !one
dist.launch @sum<[4]>(%x: read #t, %n: reduce<add> #dist.none) : (!s, !one)
dist.launch @root<[1]>(%n: read #dist.none, %m: write #dist.none) : (!one, !one)
dist.launch @scale<[4]>(%m: read #dist.none, %x: read_write #t) : (!one, !s)

// CHECK: dist.launch @sum<[4]>
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @root<[4]>(%n: read #dist.none, %m: write #dist.replicated)
// CHECK-NEXT: dist.launch @scale<[4]>(%m: read #dist.none
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @sum<[4]>
// OFF-NEXT: dist.launch @root<[1]>
// OFF-NEXT: dist.launch @scale<[4]>

// -----

// A scalar task that needs nothing of the group before it joins that.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!one = !dist.store<f64>
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
func.func @root(%n: tensor<f64>, %m: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%n : tensor<f64>) outs(%m : tensor<f64>) {
  ^bb0(%ne: f64, %me: f64):
    %s = math.sqrt %ne : f64
    linalg.yield %s : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
%n = dist.store "n" : !one
%m = dist.store "m" : !one
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.launch @root<[1]>(%n: read #dist.none, %m: write #dist.none) : (!one, !one)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @double<[4]>
// CHECK-NEXT: dist.launch @root<[4]>
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @double<[4]>
// OFF-NEXT: dist.launch @root<[1]>

// -----

// Alone, it stays at its point; a scalar task and its reader too.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!one = !dist.store<f64>
#id = affine_map<(d0) -> (d0)>
func.func @root(%n: tensor<f64>, %m: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%n : tensor<f64>) outs(%m : tensor<f64>) {
  ^bb0(%ne: f64, %me: f64):
    %s = math.sqrt %ne : f64
    linalg.yield %s : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
%n = dist.store "n" : !one
%m = dist.store "m" : !one
%k = dist.store "k" : !one
dist.launch @root<[1]>(%n: read #dist.none, %m: write #dist.none) : (!one, !one)
dist.launch @root<[1]>(%m: read #dist.none, %k: write #dist.none) : (!one, !one)

// CHECK: dist.fused_task<[1]> {
// CHECK-NEXT: dist.launch @root<[1]>(%n: read #dist.none, %m: write #dist.none)
// CHECK-NEXT: dist.launch @root<[1]>(%m: read #dist.none, %k: write #dist.none)
// CHECK-NEXT: }

// OFF: dist.fused_task<[1]> {

// -----

// An update of a scalar in place is done once: a point must not see what another has done.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!one = !dist.store<f64>
#id = affine_map<(d0) -> (d0)>
func.func @grow(%n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>], iterator_types = []} outs(%n : tensor<f64>) {
  ^bb0(%ne: f64):
    %s = arith.addf %ne, %ne : f64
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
%m = dist.store "m" : !one
dist.launch @grow<[1]>(%n: read_write #dist.none) : (!one)
dist.launch @scale<[4]>(%n: read #dist.none, %x: read_write #t) : (!one, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @grow<[1]>
// CHECK-NEXT: dist.launch @scale<[4]>

// OFF-NOT: dist.fused_task
// OFF: dist.launch @grow<[1]>
// OFF-NEXT: dist.launch @scale<[4]>

// -----

// Nor is work on an array repeated, at one point as it may be.
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
%z = dist.store "z" : !s
dist.launch @double<[1]>(%x: read_write #dist.none) : (!s)
dist.launch @double<[4]>(%x: read_write #t) : (!s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @double<[1]>
// CHECK-NEXT: dist.launch @double<[4]>

// OFF-NOT: dist.fused_task
// OFF: dist.launch @double<[1]>
// OFF-NEXT: dist.launch @double<[4]>

// -----

// What the group has read must not be overwritten: another point may not have read it yet. Each writes its copy of a fresh version.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!one = !dist.store<f64>
#id = affine_map<(d0) -> (d0)>
func.func @root(%n: tensor<f64>, %m: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%n : tensor<f64>) outs(%m : tensor<f64>) {
  ^bb0(%ne: f64, %me: f64):
    %s = math.sqrt %ne : f64
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
%m = dist.store "m" : !one
dist.launch @scale<[4]>(%m: read #dist.none, %x: read_write #t) : (!one, !s)
dist.launch @root<[1]>(%n: read #dist.none, %m: write #dist.none) : (!one, !one)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @scale<[4]>(%m
// CHECK-NEXT: dist.launch @root<[4]>(%n: read #dist.none, [[FRESH:%[^:]+]]: write #dist.replicated)
// CHECK-NEXT: }
// CHECK-NEXT: dist.swap %m, [[FRESH]]
// CHECK-NEXT: dist.release [[FRESH]]

// OFF-NOT: dist.fused_task
// OFF: dist.launch @scale<[4]>
// OFF-NEXT: dist.launch @root<[1]>
