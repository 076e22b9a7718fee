// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p 'fuse-tasks{rename=false}' --split-input-file | filecheck %s --check-prefix=OFF

// A stencil and the copy back. Other points may not have read yet what the copy overwrites: it writes a fresh grid, to which the two ends are
// carried over. Behind the group the grids are exchanged.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!g = !dist.store<10xf64>
!v = !dist.view<8xf64>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x0: tensor<?xf64>, %x1: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x0, %x1 : tensor<?xf64>, tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%x0e: f64, %x1e: f64, %ye: f64):
    %s = arith.addf %x0e, %x1e : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%g = dist.store "g" : !g
%work = dist.store "work" : !s
%left = dist.view %g (d0) -> (d0) : !g -> !v
%middle = dist.view %g (d0) -> (d0 + 1) : !g -> !v
%right = dist.view %g (d0) -> (d0 + 2) : !g -> !v
dist.launch @add<[4]>(%left: read #t, %right: read #t, %work: write #t) : (!v, !v, !s)
dist.launch @copy<[4]>(%work: read #t, %middle: write #t) : (!s, !v)

// CHECK: func.func private @carry_f64_1(%old: tensor<?xf64>, %new: tensor<?xf64>)
// CHECK: [[FRESH:%[^ ]+]] = dist.store : !dist.store<10xf64>
// CHECK-NEXT: [[FIRST:%[^ ]+]] = dist.view %g (d0) -> (d0) : !dist.store<10xf64> -> !dist.view<1xf64>
// CHECK-NEXT: [[NEW_FIRST:%[^ ]+]] = dist.view [[FRESH]] (d0) -> (d0) :
// CHECK-NEXT: [[LAST:%[^ ]+]] = dist.view %g (d0) -> (d0 + 9) : !dist.store<10xf64> -> !dist.view<1xf64>
// CHECK-NEXT: [[NEW_LAST:%[^ ]+]] = dist.view [[FRESH]] (d0) -> (d0 + 9) :
// CHECK-NEXT: [[MIDDLE:%[^ ]+]] = dist.view [[FRESH]] (d0) -> (d0 + 1) : !dist.store<10xf64> -> !dist.view<8xf64>
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @add<[4]>(%left: read {{.*}}, %right: read {{.*}}, %work: write
// CHECK-NEXT: dist.launch @carry_f64_1<[4]>([[FIRST]]: read #dist.tiling<[1]>, [[NEW_FIRST]]: write #dist.tiling<[1]>)
// CHECK-NEXT: dist.launch @carry_f64_1<[4]>([[LAST]]: read #dist.tiling<[1]>, [[NEW_LAST]]: write #dist.tiling<[1]>)
// CHECK-NEXT: dist.launch @copy<[4]>(%work: read {{.*}}, [[MIDDLE]]: write
// CHECK-NEXT: }
// CHECK-NEXT: dist.swap %g, [[FRESH]]
// CHECK-NEXT: dist.release [[FRESH]]

// OFF-NOT: dist.fused_task
// OFF: dist.launch @add
// OFF-NEXT: dist.launch @copy

// -----

// Later members work on the fresh version.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!g = !dist.store<10xf64>
!v = !dist.view<8xf64>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x0: tensor<?xf64>, %x1: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x0, %x1 : tensor<?xf64>, tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%x0e: f64, %x1e: f64, %ye: f64):
    %s = arith.addf %x0e, %x1e : f64
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

%g = dist.store "g" : !g
%work = dist.store "work" : !s
%left = dist.view %g (d0) -> (d0) : !g -> !v
%middle = dist.view %g (d0) -> (d0 + 1) : !g -> !v
%right = dist.view %g (d0) -> (d0 + 2) : !g -> !v
dist.launch @add<[4]>(%left: read #t, %right: read #t, %work: write #t) : (!v, !v, !s)
dist.launch @copy<[4]>(%work: read #t, %middle: write #t) : (!s, !v)
dist.launch @double<[4]>(%middle: read_write #t) : (!v)

// CHECK: [[FRESH:%[^ ]+]] = dist.store : !dist.store<10xf64>
// CHECK: [[NEW:%[^ ]+]] = dist.view [[FRESH]] (d0) -> (d0 + 1)
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK: dist.launch @copy<[4]>(%work: read {{.*}}, [[NEW]]: write
// CHECK-NEXT: dist.launch @double<[4]>([[NEW]]: read_write
// CHECK-NEXT: }
// CHECK-NEXT: dist.swap %g, [[FRESH]]

// OFF: dist.launch @add
// OFF-NEXT: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @copy
// OFF-NEXT: dist.launch @double

// -----

// Nobody looks at the ends afterwards: nothing is carried over.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!g = !dist.store<10xf64>
!v = !dist.view<8xf64>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x0: tensor<?xf64>, %x1: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x0, %x1 : tensor<?xf64>, tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%x0e: f64, %x1e: f64, %ye: f64):
    %s = arith.addf %x0e, %x1e : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%g = dist.store : !g
%work = dist.store "work" : !s
%left = dist.view %g (d0) -> (d0) : !g -> !v
%middle = dist.view %g (d0) -> (d0 + 1) : !g -> !v
%right = dist.view %g (d0) -> (d0 + 2) : !g -> !v
dist.launch @copy<[4]>(%x: read #t, %left: write #t) : (!s, !v)
dist.launch @copy<[4]>(%x: read #t, %right: write #t) : (!s, !v)
dist.fence
dist.launch @add<[4]>(%left: read #t, %right: read #t, %work: write #t) : (!v, !v, !s)
dist.launch @copy<[4]>(%work: read #t, %middle: write #t) : (!s, !v)
dist.launch @copy<[4]>(%middle: read #t, %x: write #t) : (!v, !s)
dist.release %g : !g

// CHECK: dist.fence
// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @add
// CHECK-NEXT: dist.launch @copy<[4]>(%work
// CHECK-NEXT: dist.launch @copy
// CHECK-NEXT: }
// CHECK-NEXT: dist.swap %g

// OFF: dist.fence
// OFF: dist.launch @add
// OFF-NEXT: dist.fused_task<[4]> {

// -----

// An update needs the old contents.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!g = !dist.store<10xf64>
!v = !dist.view<8xf64>
#id = affine_map<(d0) -> (d0)>
func.func @add(%x0: tensor<?xf64>, %x1: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x0, %x1 : tensor<?xf64>, tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%x0e: f64, %x1e: f64, %ye: f64):
    %s = arith.addf %x0e, %x1e : f64
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

%g = dist.store "g" : !g
%work = dist.store "work" : !s
%left = dist.view %g (d0) -> (d0) : !g -> !v
%middle = dist.view %g (d0) -> (d0 + 1) : !g -> !v
%right = dist.view %g (d0) -> (d0 + 2) : !g -> !v
dist.launch @add<[4]>(%left: read #t, %right: read #t, %work: write #t) : (!v, !v, !s)
dist.launch @double<[4]>(%middle: read_write #t) : (!v)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @add
// CHECK-NEXT: dist.launch @double

// OFF-NOT: dist.fused_task
// OFF: dist.launch @add
// OFF-NEXT: dist.launch @double

// -----

// Three points do not reach all of the view: what they leave out would be lost.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!g = !dist.store<10xf64>
!v = !dist.view<8xf64>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x0: tensor<?xf64>, %x1: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x0, %x1 : tensor<?xf64>, tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%x0e: f64, %x1e: f64, %ye: f64):
    %s = arith.addf %x0e, %x1e : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%g = dist.store "g" : !g
%work = dist.store "work" : !s
%left = dist.view %g (d0) -> (d0) : !g -> !v
%middle = dist.view %g (d0) -> (d0 + 1) : !g -> !v
%right = dist.view %g (d0) -> (d0 + 2) : !g -> !v
dist.launch @add<[3]>(%left: read #t, %right: read #t, %work: write #t) : (!v, !v, !s)
dist.launch @copy<[3]>(%work: read #t, %middle: write #t) : (!s, !v)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @add
// CHECK-NEXT: dist.launch @copy

// OFF-NOT: dist.fused_task
// OFF: dist.launch @add
// OFF-NEXT: dist.launch @copy

// -----

// The cost rule: for the four elements written, six would have to be carried over.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!g = !dist.store<10xf64>
!v = !dist.view<8xf64>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x0: tensor<?xf64>, %x1: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x0, %x1 : tensor<?xf64>, tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%x0e: f64, %x1e: f64, %ye: f64):
    %s = arith.addf %x0e, %x1e : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%g = dist.store "g" : !g
%work = dist.store "work" : !s
%left = dist.view %g (d0) -> (d0) : !g -> !v
%middle = dist.view %g (d0) -> (d0 + 1) : !g -> !v
%right = dist.view %g (d0) -> (d0 + 2) : !g -> !v
%short = dist.store "short" : !dist.store<4xf64>
%a = dist.view %g (d0) -> (d0 + 1) : !g -> !dist.view<4xf64>
%b = dist.view %g (d0) -> (d0 + 2) : !g -> !dist.view<4xf64>
dist.launch @copy<[2]>(%a: read #t, %short: write #t) : (!dist.view<4xf64>, !dist.store<4xf64>)
dist.launch @copy<[2]>(%short: read #t, %b: write #t) : (!dist.store<4xf64>, !dist.view<4xf64>)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @copy
// CHECK-NEXT: dist.launch @copy

// OFF-NOT: dist.fused_task
// OFF: dist.launch @copy
// OFF-NEXT: dist.launch @copy

// -----

// A true dependence is none that a fresh version helps with.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!g = !dist.store<10xf64>
!v = !dist.view<8xf64>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%g = dist.store "g" : !g
%work = dist.store "work" : !s
%left = dist.view %g (d0) -> (d0) : !g -> !v
%middle = dist.view %g (d0) -> (d0 + 1) : !g -> !v
%right = dist.view %g (d0) -> (d0 + 2) : !g -> !v
dist.launch @copy<[4]>(%work: read #t, %left: write #t) : (!s, !v)
dist.launch @copy<[4]>(%right: read #t, %work: write #t) : (!v, !s)

// CHECK-NOT: dist.fused_task
// CHECK: dist.launch @copy
// CHECK-NEXT: dist.launch @copy

// OFF-NOT: dist.fused_task
// OFF: dist.launch @copy
// OFF-NEXT: dist.launch @copy
