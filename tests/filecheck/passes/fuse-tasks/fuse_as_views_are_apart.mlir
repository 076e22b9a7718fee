// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// The two halves of a store have no element in common.
!s = !dist.store<8xf64>
!half = !dist.view<4xf64>
#h = #dist.tiling<[1]>
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
%y = dist.store "y" : !dist.store<4xf64>
%low = dist.view %x (d0) -> (d0) : !s -> !half
%high = dist.view %x (d0) -> (d0 + 4) : !s -> !half
dist.launch @copy<[4]>(%y: read #h, %low: write #h) : (!dist.store<4xf64>, !half)
dist.launch @double<[4]>(%high: read_write #h) : (!half)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: }

// -----

// Neither have its even and its odd elements, even where one side is reduced into.
!s = !dist.store<8xf64>
!half = !dist.view<4xf64>
#h = #dist.tiling<[1]>
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
%y = dist.store "y" : !dist.store<4xf64>
%even = dist.view %x (d0) -> (d0 * 2) : !s -> !half
%odd = dist.view %x (d0) -> (d0 * 2 + 1) : !s -> !half
dist.launch @acc<[4]>(%y: read #h, %even: reduce<add> #h) : (!dist.store<4xf64>, !half)
dist.launch @double<[4]>(%odd: read_write #h) : (!half)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @acc
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: }
