// RUN: fuseir-opt %s -p 'extract-traces{min-length=1}' --remarks 2>&1 | filecheck %s
// RUN: not fuseir-opt %s -p 'extract-traces{min-length=0}' 2>&1 | filecheck %s --check-prefix=OPTION

// What differs in partition, view, privilege, type, domain, task or attributes is not the same; fused tasks are like nothing else.
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
func.func @scale(%x: tensor<?xf64>, %y: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %p = arith.mulf %a, %xe : f64
    linalg.yield %p : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

func.func private @look(tensor<?xf64>)
func.func private @change(tensor<?xf64>) -> tensor<?xf64>
func.func private @other(tensor<?xf32>)

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%w = dist.store "w" : !dist.store<8xf32>
%v = dist.view %x (d0) -> (-d0 + 7) : !s -> !dist.view<8xf64>
%u = dist.view %x (d0) -> (d0) : !s -> !dist.view<8xf64>
dist.launch @look<[4]>(%x: read #t) : (!s)
dist.launch @look<[4]>(%x: read #dist.none) : (!s)
dist.launch @look<[4]>(%v: read #t) : (!dist.view<8xf64>)
dist.launch @look<[4]>(%u: read #t) : (!dist.view<8xf64>)
dist.launch @look<[4]>(%x: no_access #t) : (!s)
dist.launch @look<[2]>(%x: read #t) : (!s)
dist.launch @look<[4]>(%x: read #t) {note} : (!s)
dist.launch @look<[4]>(%x: read #t) {note = 1 : i64} : (!s)
dist.launch @other<[4]>(%w: read #t) : (!dist.store<8xf32>)
dist.launch @change<[4]>(%x: read_write #t) : (!s)
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
}
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
}
dist.swap %x, %y : !s
dist.release %x : !s
dist.release %w : !dist.store<8xf32>

// CHECK-NOT: dist.trace
// CHECK-NOT: dist.replay
// CHECK: 0 of 15 operations are in replays, of 0 traces [FIR-N172]

// OPTION: pass 'extract-traces': min-length is at least 1, not 0
