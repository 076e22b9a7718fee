// RUN: not fuseir-opt %s -p fuse-tasks --split-input-file --remarks --expected-diagnostics -o /dev/null 2>&1 | filecheck %s
// RUN: fuseir-opt %s -p fuse-tasks --split-input-file --expected-diagnostics -o /dev/null

// A remark that nobody expects, one on the wrong line, one of another code; an error is no remark. Without --remarks none is compared.

// CHECK:      remarks_expected_wrong.mlir:{{[0-9]+}}:1: error: unexpected remark: [missed] fuse-tasks: '@copy' is not fused
// CHECK:      remarks_expected_wrong.mlir:[[LINE:[0-9]+]]:1: error: unexpected remark: [missed] fuse-tasks: '@copy' is not fused
// CHECK-NEXT: remarks_expected_wrong.mlir:[[LINE]]: error: expected remark "FIR-N103" was not produced
// CHECK-NEXT: remarks_expected_wrong.mlir:{{[0-9]+}}: error: expected remark "FIR-N102" was not produced
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

// -----

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
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s) // expected-remark {{FIR-N103}}
// expected-remark {{FIR-N102}}
