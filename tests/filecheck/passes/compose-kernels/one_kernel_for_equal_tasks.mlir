// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries,compose-kernels --split-input-file | filecheck %s

// Two groups on different stores and partitions are composed alike: they share a kernel.
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

#q = #dist.tiling<[4]>
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @double<[4]>(%z: read_write #t) : (!s)
dist.fence
dist.launch @copy<[2]>(%z: read #q, %y: write #q) : (!s, !s)
dist.launch @double<[2]>(%y: read_write #q) : (!s)

// CHECK: func.func private @fused_0
// CHECK-NOT: func.func
// CHECK: dist.launch @fused_0<[4]>(%x: read #dist.tiling<[2]>, %z: write #dist.tiling<[2]>)
// CHECK: dist.launch @fused_0<[2]>(%z: read #dist.tiling<[4]>, %y: write #dist.tiling<[4]>)

// -----

// A kernel that two launches use for different purposes: the second gets one of its own.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
func.func @clear(%t: tensor<?xf64>, %u: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 0.0 : f64
  %r = linalg.fill ins(%c : f64) outs(%u : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
dist.launch @clear<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.fence
dist.launch @clear<[4]>(%x: read #t, %y: read_write #t) : (!s, !s)

// CHECK: func.func private @fused_0
// CHECK-SAME: {dist.privileges = ["read_write"]}
// CHECK: func.func @clear
// CHECK-SAME: {dist.privileges = ["read", "write"]}
// CHECK: dist.launch @clear
// CHECK: dist.launch @fused_0<[4]>(%y: read_write
