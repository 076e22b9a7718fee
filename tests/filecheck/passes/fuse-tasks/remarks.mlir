// RUN: fuseir-opt %s -p fuse-tasks --split-input-file --remarks-filter=fuse-tasks --verify-diagnostics=expected

// A fresh version of a store.
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
// expected-remark @+1 {{[passed] fuse-tasks: fused 4 launches [FIR-N100]}}
dist.launch @add<[4]>(%left: read #t, %right: read #t, %work: write #t) : (!v, !v, !s)
// expected-remark @+1 {{[passed] fuse-tasks: '@copy' writes a fresh version of store "g": 8 elements written, 2 carried over [FIR-N161]}}
dist.launch @copy<[4]>(%work: read #t, %middle: write #t) : (!s, !v)

// -----

// Why there is none.
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
// expected-remark @+2 {{[FIR-N103]}}
// expected-remark @+1 {{[analysis] fuse-tasks: '@copy' is given no fresh version of store "g" to write: of 10 elements, 6 would have to be carried over [FIR-N162]}}
dist.launch @copy<[2]>(%short: read #t, %b: write #t) : (!dist.store<4xf64>, !dist.view<4xf64>)

// -----

// A scalar task at every point.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
!one = !dist.store<f64>
#id = affine_map<(d0) -> (d0)>
func.func @root(%n: tensor<f64>, %m: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%n : tensor<f64>) outs(%m : tensor<f64>) {
  ^bb0(%ne: f64, %me: f64):
    %s = math.sqrt %ne : f64
    linalg.yield %s : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
func.func @scale(%n: tensor<f64>, %x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> ()>, #id], iterator_types = ["parallel"]}
      ins(%n : tensor<f64>) outs(%x : tensor<?xf64>) {
  ^bb0(%ne: f64, %xe: f64):
    %s = arith.mulf %xe, %ne : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
%n = dist.store "n" : !one
%m = dist.store "m" : !one
// expected-remark @+2 {{[FIR-N100]}}
// expected-remark @+1 {{[passed] fuse-tasks: '@root' runs at every point of [4], beside its neighbours [FIR-N160]}}
dist.launch @root<[1]>(%n: read #dist.none, %m: write #dist.none) : (!one, !one)
dist.launch @scale<[4]>(%m: read #dist.none, %x: read_write #t) : (!one, !s)

// -----

// A launch that joined an earlier group.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#w = #dist.tiling<[4]>
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
// expected-remark @+1 {{[FIR-N100]}}
dist.launch @double<[4]>(%x: read_write #t) : (!s)
// expected-remark @+1 {{[FIR-N101]}}
dist.launch @double<[2]>(%y: read_write #w) : (!s)
// expected-remark @+1 {{[passed] fuse-tasks: '@double' joins an earlier group, before a launch it commutes with [FIR-N163]}}
dist.launch @double<[4]>(%x: read_write #t) : (!s)

// -----

// A launch that moved to a later group with what feeds it. That it might have joined an earlier one is then not said.
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
%z = dist.store "z" : !s
%g = dist.store "g" : !s
%reversed = dist.view %g (d0) -> (-d0 + 7) : !s -> !v
%a = dist.store : !s
%b = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %g: write #t) : (!s, !s)
// expected-remark @+2 {{[FIR-N100]}}
// expected-remark @+1 {{[FIR-N102]}}
dist.launch @copy<[4]>(%reversed: read #t, %z: write #t) : (!v, !s)
dist.launch @copy<[4]>(%x: read #t, %a: write #t) : (!s, !s)
// expected-remark @+1 {{[passed] fuse-tasks: '@copy' moves to a later group with a launch before it: 64 bytes less go through memory [FIR-N164]}}
dist.launch @copy<[4]>(%a: read #t, %b: write #t) : (!s, !s)
dist.launch @add<[4]>(%reversed: read #t, %b: read #t, %y: write #t) : (!v, !s, !s)
dist.release %a : !s
dist.release %b : !s

// -----

// A fence was asked for: that is no chance missed.
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

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.fence
// expected-remark @+1 {{[analysis] fuse-tasks: '@copy' is not fused with '@copy' (fence) [FIR-N108]}}
dist.launch @copy<[4]>(%y: read #t, %z: write #t) : (!s, !s)

// -----

// Processors.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> attributes {dist.processor = "gpu"} {
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
// expected-remark @+1 {{[missed] fuse-tasks: '@double' is not fused with '@copy' (processor): gpu and any [FIR-N109]}}
dist.launch @double<[4]>(%y: read_write #t) : (!s)
