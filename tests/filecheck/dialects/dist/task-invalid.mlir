// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
//
// What a launch demands of its task: that it exists, takes what it is given, and keeps the kernel contract (docs/kernels.md) under the
// privileges of the launch.

// The symbol

// expected-error @+1 {{unknown task '@nobody'}}
dist.launch @nobody<[4]>() : ()

// -----

// A module inside the program's is not looked into.
builtin.module @m {
  func.func private @f()
}
// expected-error @+1 {{unknown task '@f'}}
dist.launch @f<[4]>() : ()

// -----

builtin.module @m {
}
// expected-error @+1 {{'@m' is no function}}
dist.launch @m<[4]>() : ()

// -----

// The signature

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'@f' takes 1 parameters, the launch needs 2}}
dist.launch @f<[4]>(%s: read #dist.none, %s: read #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>, tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'@f' takes 2 parameters, the launch needs 1}}
dist.launch @f<[4]>(%s: read #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf32>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'@f' takes tensor<?xf32> as parameter 0, the launch needs tensor<?xf64>}}
dist.launch @f<[4]>(%s: read #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8x8xf64>
// expected-error @+1 {{'@f' takes tensor<?xf64> as parameter 0, the launch needs tensor<?x?xf64>}}
dist.launch @f<[4]>(%s: read #dist.none) : (!dist.store<8x8xf64>)

// -----

// Extents of tiles are never static, not even where all tiles have one size.
func.func private @f(tensor<2xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'@f' takes tensor<2xf64> as parameter 0, the launch needs tensor<?xf64>}}
dist.launch @f<[4]>(%s: read #dist.tiling<[2]>) : (!dist.store<8xf64>)

// -----

// Kernels are signless.
func.func private @f(tensor<?xui32>)
%s = dist.store "s" : !dist.store<8xui32>
// expected-error @+1 {{'@f' takes tensor<?xui32> as parameter 0, the launch needs tensor<?xi32>}}
dist.launch @f<[4]>(%s: read #dist.none) : (!dist.store<8xui32>)

// -----

func.func private @f(f64)
%a = dist.scalar "a" : f32
// expected-error @+1 {{'@f' takes f64 as parameter 0, the launch needs f32}}
dist.launch @f<[4]>() scalars(%a) : (f32)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'@f' returns 0 results, the launch needs 1}}
dist.launch @f<[4]>(%s: write #dist.tiling<[2]>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'@f' returns 1 results, the launch needs 0}}
dist.launch @f<[4]>(%s: read #dist.tiling<[2]>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'@f' returns 1 results, the launch needs 0}}
dist.launch @f<[4]>(%s: no_access #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
%t = dist.store "t" : !dist.store<8xi64>
// expected-error @+1 {{'@f' returns tensor<?xf64> as result 0, the launch needs tensor<?xi64>}}
dist.launch @f<[4]>(%s: read #dist.none, %t: reduce<xor> #dist.none) : (!dist.store<8xf64>, !dist.store<8xi64>)

// -----

// The contract. The place of the error is the operation in the kernel.

#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@copy' reads the contents of its write argument 0}}
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
// The same kernel under other privileges is right.
dist.launch @copy<[4]>(%x: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)
dist.launch @copy<[4]>(%x: write #dist.tiling<[2]>, %y: read #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@copy' reads the contents of its no_access argument 0}}
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @copy<[4]>(%x: no_access #dist.tiling<[2]>, %y: write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @nothing(%y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@nothing' returns its write argument 0 unwritten, as argument 0}}
  func.return %y : tensor<?xf64>
}
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @nothing<[4]>(%y: write #dist.tiling<[2]>) : (!dist.store<8xf64>)

// -----

func.func @nothing(%y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@nothing' does not fold argument 0 with add}}
  func.return %y : tensor<?xf64>
}
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @nothing<[4]>(%y: reduce<add> #dist.none) : (!dist.store<8xf64>)

// -----

#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @sum(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  // expected-error @+1 {{kernel '@sum' does not fold argument 1 with max}}
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %acc, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%s = dist.store "s" : !dist.store<f64>
dist.launch @sum<[4]>(%x: read #dist.tiling<[2]>, %s: reduce<add> #dist.none) : (!dist.store<8xf64>, !dist.store<f64>)
dist.launch @sum<[4]>(%x: read #dist.tiling<[2]>, %s: reduce<max> #dist.none) : (!dist.store<8xf64>, !dist.store<f64>)

// -----

// The combiner takes what was accumulated as its left operand.
#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @sum(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  // expected-error @+1 {{whose output 0 reduces, but is not yielded by a combiner}}
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %a, %acc : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%s = dist.store "s" : !dist.store<f64>
dist.launch @sum<[4]>(%x: read #dist.tiling<[2]>, %s: reduce<add> #dist.none) : (!dist.store<8xf64>, !dist.store<f64>)

// -----

func.func private @other()
func.func @calls() {
  // expected-error @+1 {{kernel '@calls' has operation 'func.call', which is not allowed in a kernel}}
  func.call @other() : () -> ()
  func.return
}
dist.launch @calls<[4]>() : ()

// -----

#swap = affine_map<(d0, d1) -> (d0 + d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?x?xf64>) -> tensor<?x?xf64> {
  // expected-error @+1 {{whose indexing map 0 is not a projected permutation}}
  %r = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8x8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8x8xf64>)

// -----

// Extents

#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<7xf64>
// The last tile of %y is cut short.
// expected-error @+1 {{'@copy' needs dimension 0 of argument 0 and dimension 0 of argument 1 to have equal extents at every point}}
dist.launch @copy<[4]>(%x: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<7xf64>)

// -----

// Through results alone: a kernel may fill one tile and return it for another of its size only.
#id = affine_map<(d0) -> (d0)>
func.func @fill(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %zero = arith.constant 0.0 : f64
  %r = linalg.fill ins(%zero : f64) outs(%x : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
// expected-error @+1 {{'@fill' needs dimension 0 of argument 0 and dimension 0 of argument 1 to have equal extents at every point}}
dist.launch @fill<[4]>(%x: read #dist.none, %y: write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)
