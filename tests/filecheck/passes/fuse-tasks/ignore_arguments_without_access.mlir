// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s

// A task that sees the shape of its piece only does not conflict with anyone.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
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
func.func @shape(%s: tensor<?xf64>, %t: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 0.0 : f64
  %r = linalg.fill ins(%c : f64) outs(%s : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.launch @shape<[4]>(%x: no_access #t, %y: write #t) : (!s, !s)
dist.launch @shape<[4]>(%x: no_access #u, %z: write #u) : (!s, !s)
dist.launch @double<[4]>(%x: read_write #t) : (!s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: dist.launch @shape
// CHECK-NEXT: dist.launch @shape
// CHECK-NEXT: dist.launch @double
// CHECK-NEXT: }
