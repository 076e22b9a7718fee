func.func @axpy(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %unused: f64):
    %p = arith.mulf %a, %xe : f64
    %s = arith.addf %p, %ye : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
// -----
func.func @scalars(%a: f64, %b: i32, %c: index) -> (f64, i1) {
  %k = arith.constant 1.5 : f64
  %m = math.exp %a : f64
  %f = ufunc.fmod %m, %k : f64
  %n = arith.constant -7 : i32
  %i = arith.divsi %b, %n : i32
  %t = arith.cmpi slt, %i, %b : i32
  %u = arith.select %t, %f, %a : f64
  %w = arith.fptosi %u : f64 to i64
  func.return %u, %t : f64, i1
}
// -----
func.func @memory(%x: memref<?xf64, strided<[?], offset: ?>>, %z: memref<4x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : memref<?xf64, strided<[?], offset: ?>>
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %xe = memref.load %x[%i] : memref<?xf64, strided<[?], offset: ?>>
    memref.store %xe, %x[%i] : memref<?xf64, strided<[?], offset: ?>>
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  %s = memref.alloc(%n) {alignment = 64 : i64} : memref<?xf64>
  memref.dealloc %s : memref<?xf64>
  func.return
}
// -----
func.func @loops(%n: index, %init: f32) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %init) -> (f32) {
    %d = arith.addf %acc, %acc : f32
    scf.yield %d : f32
  }
  %b = arith.constant true
  scf.if %b {
    "test.op"() : () -> ()
  }
  func.return %r : f32
}
// -----
#map = affine_map<(d0, d1)[s0] -> (d0 * 2 + s0, (d1 floordiv 4) mod 3 - 1)>
#list = [1 : i32, "two", #map, unit, @sym::@nested, [dense<[1, 2]> : tensor<2xi8>]]
!alias = tuple<i1, vector<4xf32>, complex<f32>, none>
"test.op"() {a = #map, l = #list, d = {x = 0x1F : i64, y = -2.5e-3 : f32}, t = !alias} : () -> ()
%t, %u:2 = "test.op"() <{p = array<i64: 1, -2, 3>}> : () -> (!alias, i32, memref<2x3xi8, 1>)
"test.op"(%t, %u#1) ({
^bb0(%q: index loc("f.py":3:4)):
  "test.termop"()[^bb1] : () -> ()
^bb1:
  "test.termop"() : () -> ()
}, {}) {v = dense<0x7F80> : vector<2xf32>, s = sparse, o = opaque<"a", "b">} : (!alias, memref<2x3xi8, 1>) -> () loc(fused[unknown, "n"("x":1:2)])
// -----
func.func private @callee(tensor<2x?xi64>) -> tensor<2xi64>
func.func @caller(%t: tensor<2x?xi64>) -> tensor<2xi64> attributes {visible = "\"esc\\aped\n\00"} {
  %r = func.call @callee(%t) : (tensor<2x?xi64>) -> tensor<2xi64>
  %c = arith.constant dense<[1, -2]> : tensor<2xi64>
  %e = tensor.empty() : tensor<2xi64>
  %f = linalg.fill ins(%c0 : i64) outs(%e : tensor<2xi64>) -> tensor<2xi64>
  %c0 = arith.constant 0 : i64
  func.return %r : tensor<2xi64>
}
// -----
builtin.module @named attributes {k = 1 : ui8} {
  func.func @branches(%c: i1) {
    cf.cond_br %c, ^one(%c : i1), ^two
  ^one(%p: i1):
    cf.br ^two
  ^two:
    func.return
  }
}
{-# dialect_resources: {builtin: {blob: "0x08000000"}} #-}
