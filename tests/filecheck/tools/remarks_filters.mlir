// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --remarks-filter=. -o /dev/null 2>&1 | filecheck %s --check-prefix=ALL
// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --remarks-filter=N10 -o /dev/null 2>&1 | filecheck %s --check-prefix=FUSE
// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --remarks-filter-missed=. -o /dev/null 2>&1 | filecheck %s --check-prefix=MISSED
// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --remarks-filter-passed=^fuse --remarks-filter-analyse=N113 -o /dev/null 2>&1 | filecheck %s --check-prefix=TWO
// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries --remarks-filter-failed=. -o /dev/null > %t 2>&1 && cmp %t /dev/null
// RUN: not fuseir-opt %s --remarks-filter-missed="(" 2>&1 | filecheck %s --check-prefix=MALFORMED

// ALL:      [passed] fuse-tasks: fused 2 launches [FIR-N100]
// ALL:      [missed] fuse-tasks: {{.*}} [FIR-N102]
// ALL:      [analysis] eliminate-temporaries: store "y" {{.*}} [FIR-N113]
// ALL:      [missed] eliminate-temporaries: store %z {{.*}} [FIR-N114]
// FUSE:     remark: [passed] fuse-tasks: {{.*}} [FIR-N100]
// FUSE:     remark: [missed] fuse-tasks: {{.*}} [FIR-N102]
// FUSE-NOT: eliminate-temporaries
// MISSED-NOT: [{{passed|analysis}}]
// MISSED:   remark: [missed] fuse-tasks: {{.*}} [FIR-N102]
// MISSED-NOT: [{{passed|analysis}}]
// MISSED:   remark: [missed] eliminate-temporaries: {{.*}} [FIR-N114]
// TWO:      remark: [passed] fuse-tasks: {{.*}} [FIR-N100]
// TWO-NOT:  [missed]
// TWO:      remark: [analysis] eliminate-temporaries: {{.*}} [FIR-N113]
// MALFORMED: error: --remarks-filter-missed: malformed regular expression: {{.*}} [FIR-E004]
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
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)
dist.release %z : !s
