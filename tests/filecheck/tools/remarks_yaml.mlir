// RUN: fuseir-opt %s -p fuse-tasks --remark-format=yaml -o /dev/null 2>&1 | filecheck %s

// The form of LLVM's remarks; a name that does not print is spelt out.

// CHECK:      --- !Missed
// CHECK-NEXT: Pass: "fuse-tasks"
// CHECK-NEXT: Name: "FIR-N103"
// CHECK-NEXT: DebugLoc: { File: "{{.*}}remarks_yaml.mlir", Line: [[LATER:[0-9]+]], Column: 1 }
// CHECK-NEXT: Function: "copy"
// CHECK-NEXT: Args:
// CHECK-NEXT:   - String: "'@copy' is not fused with '@copy' (anti): store \"a\\nb\" is 'read' through
// CHECK-NEXT:   - Task: "copy"
// CHECK-NEXT:     DebugLoc: { File: "{{.*}}remarks_yaml.mlir", Line: [[EARLIER:[0-9]+]], Column: 1 }
// CHECK-NEXT:   - Task: "copy"
// CHECK-NEXT:     DebugLoc: { File: "{{.*}}remarks_yaml.mlir", Line: [[LATER]], Column: 1 }
// CHECK-NEXT:   - Store: "\"a\\nb\""
// CHECK-NEXT:   - Partition: "tiling<[2]>"
// CHECK-NEXT:   - Partition: "tiling<[2] + [1]>"
// CHECK-NEXT:   - Suggestion: "write through the pieces that were read, or write to another store"
// CHECK-NEXT: ...
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
%x = dist.store "a\0Ab" : !s
%y = dist.store "y" : !s
%w = dist.store "w" : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[4]>(%w: read #u, %x: write #u) : (!s, !s)
