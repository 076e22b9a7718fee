// RUN: fuseir-opt %s -p fuse-tasks --remarks -o /dev/null 2>&1 | filecheck %s
// RUN: fuseir-opt %s -p fuse-tasks -remarks --mlir-remarks-filter-missed=fuse -o /dev/null 2>&1 | filecheck %s
// RUN: fuseir-opt %s -p fuse-tasks | filecheck %s --check-prefix=QUIET

// Text: place and reason, the line, a caret; where the other task is; what would help. The IR is what it is without remarks.
// CHECK:      remarks.mlir:31:1: remark: [missed] fuse-tasks: '@copy' is not fused with '@copy' (partition-mismatch(true)): store %z is 'write' through tiling<[2]>, then 'read' through tiling<[2] + [1]> [FIR-N102]
// CHECK-NEXT:   dist.launch @copy<[4]>(%z: read #u, %y: write #u)
// CHECK-NEXT:   ^
// CHECK-NEXT: remarks.mlir:30:1: note: '@copy' is launched here
// CHECK-NEXT:   dist.launch @copy<[4]>(%x: read #t, %z: write #t)
// CHECK-NEXT:   ^
// CHECK-NEXT: note: use one view and one partition for the write and what follows it
// QUIET-NOT: remark
// QUIET: dist.launch @copy
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
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)
dist.release %z : !s
