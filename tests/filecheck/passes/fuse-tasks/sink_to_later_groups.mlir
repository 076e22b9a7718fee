// RUN: fuseir-opt %s -p fuse-tasks --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p 'fuse-tasks{sink=false}' --split-input-file | filecheck %s --check-prefix=OFF

// The second copy could run with the first. But what it makes is only wanted by the launch that needs %g of all points: there it is a
// value, and %c needs no memory.
!s = !dist.store<8xf64>
!v = !dist.view<8xf64>
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
%y = dist.store "y" : !s
%g = dist.store "g" : !s
%reversed = dist.view %g (d0) -> (-d0 + 7) : !s -> !v
%c = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %g: write #t) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.launch @add<[4]>(%reversed: read #t, %c: read #t, %y: write #t) : (!v, !s, !s)
dist.release %c : !s

// CHECK: dist.launch @copy<[4]>(%x: read {{.*}}, %g: write
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %c: write
// CHECK-NEXT: dist.launch @add<[4]>(%reversed: read {{.*}}, %c: read {{.*}}, %y: write
// CHECK-NEXT: }
// CHECK-NEXT: dist.release %c

// OFF: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %g: write
// OFF-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %c: write
// OFF-NEXT: }
// OFF-NEXT: dist.launch @add<[4]>
// OFF-NEXT: dist.release %c

// -----

// What feeds a launch goes with it: alone it would leave temporaries behind that then need memory. So do launches that share one (%a).
!s = !dist.store<8xf64>
!v = !dist.view<8xf64>
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
%y = dist.store "y" : !s
%g = dist.store "g" : !s
%reversed = dist.view %g (d0) -> (-d0 + 7) : !s -> !v
%a = dist.store : !s
%b = dist.store : !s
%c = dist.store : !s
%d = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %g: write #t) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %a: write #t) : (!s, !s)
dist.launch @copy<[4]>(%a: read #t, %b: write #t) : (!s, !s)
dist.launch @copy<[4]>(%a: read #t, %c: write #t) : (!s, !s)
dist.launch @add<[4]>(%reversed: read #t, %b: read #t, %d: write #t) : (!v, !s, !s)
dist.launch @add<[4]>(%c: read #t, %d: read #t, %y: write #t) : (!s, !s, !s)
dist.release %a : !s
dist.release %b : !s
dist.release %c : !s
dist.release %d : !s

// CHECK: dist.launch @copy<[4]>(%x: read {{.*}}, %g: write
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %a: write
// CHECK-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %b: write
// CHECK-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %c: write
// CHECK-NEXT: dist.launch @add
// CHECK-NEXT: dist.launch @add
// CHECK-NEXT: }

// OFF: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %g: write
// OFF-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %a: write
// OFF-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %b: write
// OFF-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %c: write
// OFF-NEXT: }
// OFF-NEXT: dist.release %a
// OFF-NEXT: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @add
// OFF-NEXT: dist.launch @add
// OFF-NEXT: }

// -----

// An update whose result nobody behind looks at goes where its argument (%a, made of %x) is changed, since that is read there anyway.
!s = !dist.store<8xf64>
!v = !dist.view<8xf64>
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

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%g = dist.store "g" : !s
%reversed = dist.view %g (d0) -> (-d0 + 7) : !s -> !v
%z = dist.store "z" : !s
%a = dist.store : !s
dist.launch @copy<[4]>(%y: read #t, %g: write #t) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %a: write #t) : (!s, !s)
dist.launch @copy<[4]>(%a: read #t, %z: write #t) : (!s, !s)
dist.launch @add<[4]>(%reversed: read #t, %x: read #t, %y: write #t) : (!v, !s, !s)
dist.launch @double<[4]>(%x: read_write #t) : (!s)
dist.release %a : !s

// CHECK: dist.launch @copy<[4]>(%y: read {{.*}}, %g: write
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %a: write
// CHECK-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %z: write
// CHECK-NEXT: dist.launch @add<[4]>(%reversed
// CHECK-NEXT: dist.launch @double<[4]>(%x
// CHECK-NEXT: }

// OFF: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @copy<[4]>(%y: read {{.*}}, %g: write
// OFF-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %a: write
// OFF-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %z: write
// OFF-NEXT: }
// OFF-NEXT: dist.release %a
// OFF-NEXT: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @add<[4]>(%reversed
// OFF-NEXT: dist.launch @double<[4]>(%x

// -----

// %c is an output, so it is written in any case, and %w would have to be read where nobody reads it: nothing would be saved.
!s = !dist.store<8xf64>
!v = !dist.view<8xf64>
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
%y = dist.store "y" : !s
%g = dist.store "g" : !s
%reversed = dist.view %g (d0) -> (-d0 + 7) : !s -> !v
%w = dist.store "w" : !s
%c = dist.store "c" : !s
dist.launch @add<[4]>(%x: read #t, %w: read #t, %g: write #t) : (!s, !s, !s)
dist.launch @add<[4]>(%x: read #t, %w: read #t, %c: write #t) : (!s, !s, !s)
dist.launch @add<[4]>(%reversed: read #t, %c: read #t, %y: write #t) : (!v, !s, !s)

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @add<[4]>(%x: read {{.*}}, %w: read {{.*}}, %g: write
// CHECK-NEXT: dist.launch @add<[4]>(%x: read {{.*}}, %w: read {{.*}}, %c: write
// CHECK-NEXT: }
// CHECK-NEXT: dist.launch @add<[4]>(%reversed

// OFF: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @add<[4]>(%x: read {{.*}}, %w: read {{.*}}, %g: write
// OFF-NEXT: dist.launch @add<[4]>(%x: read {{.*}}, %w: read {{.*}}, %c: write
// OFF-NEXT: }
// OFF-NEXT: dist.launch @add<[4]>(%reversed

// -----

// The group that wants %c overwrites %x through other pieces: other points may not have read them yet.
!s = !dist.store<8xf64>
!v = !dist.view<8xf64>
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

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%g = dist.store "g" : !s
%reversed = dist.view %g (d0) -> (-d0 + 7) : !s -> !v
%c = dist.store : !s
%x_reversed = dist.view %x (d0) -> (-d0 + 7) : !s -> !v
dist.launch @copy<[4]>(%x: read #t, %g: write #t) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %c: write #t) : (!s, !s)
dist.launch @double<[4]>(%x_reversed: read_write #t) : (!v)
dist.launch @add<[4]>(%reversed: read #t, %c: read #t, %y: write #t) : (!v, !s, !s)
dist.release %c : !s

// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %g: write
// CHECK-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %c: write
// CHECK-NEXT: }
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @double<[4]>(%x_reversed
// CHECK-NEXT: dist.launch @add<[4]>(%reversed

// OFF: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %g: write
// OFF-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %c: write
// OFF-NEXT: }
// OFF-NEXT: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @double<[4]>(%x_reversed
// OFF-NEXT: dist.launch @add<[4]>(%reversed

// -----

// Behind the exchange of %u and its fresh version a launch uses %u again, under its own name.
!s = !dist.store<8xf64>
!v = !dist.view<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
!u = !dist.store<10xf64>
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

%u = dist.store "u" : !u
%left = dist.view %u (d0) -> (d0) : !u -> !v
%centre = dist.view %u (d0) -> (d0 + 1) : !u -> !v
%right = dist.view %u (d0) -> (d0 + 2) : !u -> !v
%a = dist.store : !s
%b = dist.store : !s
%c = dist.store : !s
%d = dist.store : !s
dist.launch @add<[4]>(%left: read #t, %right: read #t, %a: write #t) : (!v, !v, !s)
dist.launch @copy<[4]>(%a: read #t, %centre: write #t) : (!s, !v)
dist.launch @copy<[4]>(%centre: read #t, %c: write #t) : (!v, !s)
dist.launch @add<[4]>(%left: read #t, %right: read #t, %b: write #t) : (!v, !v, !s)
dist.launch @add<[4]>(%b: read #t, %c: read #t, %d: write #t) : (!s, !s, !s)
dist.launch @copy<[4]>(%d: read #t, %centre: write #t) : (!s, !v)
dist.release %a : !s
dist.release %b : !s
dist.release %c : !s
dist.release %d : !s

// CHECK: dist.fused_task<[4]> {
// CHECK: dist.launch @copy<[4]>(%a: read
// CHECK-NEXT: }
// CHECK-NEXT: dist.swap %u
// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%centre: read {{.*}}, %c: write
// CHECK-NEXT: dist.launch @add<[4]>(%left
// CHECK: dist.launch @copy<[4]>(%d: read
// CHECK-NEXT: }
// CHECK-NEXT: dist.swap %u

// OFF: dist.fused_task<[4]> {
// OFF: dist.launch @copy<[4]>(%a: read
// OFF-NEXT: dist.launch @copy<[4]>(%{{.*}}: read {{.*}}, %c: write
// OFF-NEXT: }
// OFF-NEXT: dist.swap %u

// -----

// To move the last copy saves nothing: %c is then a value, but %a needs memory. As %a then is there to be read, the other copy gains by
// moving as well.
!s = !dist.store<8xf64>
!v = !dist.view<8xf64>
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
%y = dist.store "y" : !s
%g = dist.store "g" : !s
%h = dist.store "h" : !s
%g_reversed = dist.view %g (d0) -> (-d0 + 7) : !s -> !v
%h_reversed = dist.view %h (d0) -> (-d0 + 7) : !s -> !v
%a = dist.store : !s
%b = dist.store : !s
%c = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %g: write #t) : (!s, !s)
dist.launch @copy<[4]>(%x: read #t, %a: write #t) : (!s, !s)
dist.launch @copy<[4]>(%a: read #t, %b: write #t) : (!s, !s)
dist.launch @add<[4]>(%g_reversed: read #t, %b: read #t, %h: write #t) : (!v, !s, !s)
dist.launch @copy<[4]>(%a: read #t, %c: write #t) : (!s, !s)
dist.launch @add<[4]>(%h_reversed: read #t, %c: read #t, %y: write #t) : (!v, !s, !s)
dist.release %a : !s
dist.release %b : !s
dist.release %c : !s

// CHECK: dist.view %h (d0)
// CHECK: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %g: write
// CHECK-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %a: write
// CHECK-NEXT: }
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %b: write
// CHECK-NEXT: dist.launch @add<[4]>(%g_reversed: read
// CHECK-NEXT: }
// CHECK-NEXT: dist.release %b
// CHECK-NEXT: dist.fused_task<[4]> {
// CHECK-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %c: write
// CHECK-NEXT: dist.launch @add<[4]>(%h_reversed: read

// OFF: dist.view %h (d0)
// OFF: dist.fused_task<[4]> {
// OFF-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %g: write
// OFF-NEXT: dist.launch @copy<[4]>(%x: read {{.*}}, %a: write
// OFF-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %b: write
// OFF-NEXT: dist.launch @copy<[4]>(%a: read {{.*}}, %c: write
// OFF-NEXT: }
