// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p 'fuse-tasks{reorder=false}' --split-input-file | filecheck %s --check-prefix=OFF

// Launches over two domains take turns and have nothing to do with each other. In order (OFF) each stands alone; else they form
// two groups side by side.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#w = #dist.tiling<[4]>
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
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.launch @double<[2]>(%y: read_write #w) : (!s)
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.launch @double<[2]>(%y: read_write #w) : (!s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @double<[4]>(%x
// CHECK-NEXT: dist.launch @double<[4]>(%x
// CHECK-NEXT: }
// CHECK-NEXT: dist.fused_task<[2]> {
// CHECK-NEXT: dist.launch @double<[2]>(%y
// CHECK-NEXT: dist.launch @double<[2]>(%y
// CHECK-NEXT: }

// OFF-NOT: dist.fused_task
// OFF: dist.launch @double<[4]>
// OFF-NEXT: dist.launch @double<[2]>
// OFF-NEXT: dist.launch @double<[4]>
// OFF-NEXT: dist.launch @double<[2]>

// -----

// The third launch needs what the second makes, so it waits for it; the fourth needs neither, and joins the first.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#w = #dist.tiling<[4]>
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
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.launch @copy<[2]>(%x: read #w, %y: write #w) : (!s, !s)
dist.launch @double<[4]>(%y: read_write #t) : (!s)
dist.launch @double<[4]>(%z: read_write #t) : (!s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @double<[4]>(%x
// CHECK-NEXT: dist.launch @double<[4]>(%z
// CHECK-NEXT: }
// CHECK-NEXT: dist.launch @copy<[2]>
// CHECK-NEXT: dist.launch @double<[4]>(%y

// OFF: dist.launch @double<[4]>(%x
// OFF-NEXT: dist.launch @copy<[2]>
// OFF-NEXT: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @double<[4]>(%y
// OFF-NEXT: dist.launch @double<[4]>(%z

// -----

// What overwrites %x must not pass who reads it.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#w = #dist.tiling<[4]>
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
dist.launch @double<[4]>(%z: read_write #t) : (!s)
dist.launch @copy<[2]>(%x: read #w, %y: write #w) : (!s, !s)
dist.launch @double<[4]>(%x: read_write #t) : (!s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @double<[4]>(%z
// CHECK-NEXT: dist.launch @copy<[2]>
// CHECK-NEXT: dist.launch @double<[4]>(%x

// OFF-NOT: dist.fused_task
// OFF: dist.launch @double<[4]>(%z
// OFF-NEXT: dist.launch @copy<[2]>
// OFF-NEXT: dist.launch @double<[4]>(%x

// -----

// Folds into one store keep their order, the operator being the same or not: floating-point additions in another order give other bits.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#w = #dist.tiling<[4]>
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
dist.launch @double<[4]>(%y: read_write #t) : (!s)
dist.launch @acc<[2]>(%x: read #w, %z: reduce<add> #w) : (!s, !s)
dist.launch @acc<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @double<[4]>
// CHECK-NEXT: dist.launch @acc<[2]>
// CHECK-NEXT: dist.launch @acc<[4]>

// OFF-NOT: dist.fused_task
// OFF: dist.launch @double<[4]>
// OFF-NEXT: dist.launch @acc<[2]>
// OFF-NEXT: dist.launch @acc<[4]>

// -----

// A release follows the last group that uses its store.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#w = #dist.tiling<[4]>
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
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.launch @double<[2]>(%y: read_write #w) : (!s)
dist.release %y : !s
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.release %x : !s
dist.launch @double<[2]>(%z: read_write #w) : (!s)

// CHECK: dist.fused_task<[4]> {
// CHECK: }
// CHECK-NEXT: dist.release %x
// CHECK-NEXT: dist.fused_task<[2]> {
// CHECK-NEXT: dist.launch @double<[2]>(%y
// CHECK-NEXT: dist.launch @double<[2]>(%z
// CHECK-NEXT: }
// CHECK-NEXT: dist.release %y

// OFF: dist.launch @double<[4]>(%x
// OFF-NEXT: dist.launch @double<[2]>(%y
// OFF-NEXT: dist.release %y
// OFF-NEXT: dist.launch @double<[4]>(%x
// OFF-NEXT: dist.release %x
