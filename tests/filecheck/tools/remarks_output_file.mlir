// RUN: fuseir-opt %s -p fuse-tasks --remarks-output-file=%t -o /dev/null > %t.quiet 2>&1 && cmp %t.quiet /dev/null
// RUN: filecheck %s < %t
// RUN: not fuseir-opt %s -p fuse-tasks --remarks-output-file=%s -o /dev/null 2>&1 | filecheck %s --check-prefix=INPUT
// RUN: not fuseir-opt %s -p fuse-tasks --remarks-output-file=%t.no/such -o /dev/null 2>&1 | filecheck %s --check-prefix=NOWHERE

// CHECK:   remarks_output_file.mlir:{{[0-9]+}}:1: remark: [missed] fuse-tasks
// INPUT:   error: --remarks-output-file would replace '{{.*}}remarks_output_file.mlir' [FIR-E004]
// NOWHERE: error: cannot write '{{.*}}such': No such file or directory [FIR-E011]
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
