// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// The third launch reads other pieces than the second wrote; it and the fourth make the next group. What stays
// alone stays a plain launch.
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
dist.launch @copy<[4]>(%y: read #u, %z: write #u) : (!s, !s)
dist.launch @double<[4]>(%z: read_write #u) : (!s)
dist.launch @double<[4]>(%z: read_write #t) : (!s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: }
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: }
// CHECK-NEXT: dist.launch @double
