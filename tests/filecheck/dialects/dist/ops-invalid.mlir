// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
//
// What stores, scalars, views, releases and fences refuse.

// Where operations stand

func.func @f() {
  // expected-error @+1 {{'dist.store' stands at the top level of the module only}}
  %s = dist.store : !dist.store<4xf64>
  func.return
}

// -----

func.func @f() {
  // expected-error @+1 {{'dist.scalar' stands at the top level of the module only}}
  %a = dist.scalar = 1.0 : f64
  func.return
}

// -----

%s = dist.store : !dist.store<4xf64>
"test.op"() ({
  // expected-error @+1 {{'dist.view' stands at the top level of the module or of a dist.trace only}}
  %v = dist.view %s (d0) -> (d0) : !dist.store<4xf64> -> !dist.view<4xf64>
  "test.termop"() : () -> ()
}) : () -> ()

// -----

%s = dist.store : !dist.store<4xf64>
"test.op"() ({
  // expected-error @+1 {{'dist.release' stands at the top level of the module or of a dist.trace only}}
  dist.release %s : !dist.store<4xf64>
  "test.termop"() : () -> ()
}) : () -> ()

// -----

func.func @f() {
  // expected-error @+1 {{'dist.fence' stands at the top level of the module or of a dist.trace only}}
  dist.fence
  func.return
}

// -----

// A module inside the program's is no program of its own.
builtin.module {
  builtin.module {
    // expected-error @+1 {{'dist.fence' stands at the top level of the module or of a dist.trace only}}
    dist.fence
  }
}

// -----

// Stores

// expected-error @+1 {{expected a !dist.store type}}
%s = dist.store : tensor<4xf64>

// -----

// expected-error @+1 {{expected a !dist.store type}}
%s = dist.store : !dist.view<4xf64>

// -----

// expected-error @+1 {{Expected ':'}}
%s = dist.store "x" !dist.store<4xf64>

// -----

// expected-error @+1 {{Expected ':'}}
%s = dist.store @x : !dist.store<4xf64>

// -----

// expected-error @+1 {{f64 should be of base attribute dist.store}}
%s = "dist.store"() : () -> f64

// -----

// expected-error @+1 {{4 : i64 should be of base attribute string}}
%s = "dist.store"() <{store_name = 4 : i64}> : () -> !dist.store<4xf64>

// -----

// expected-error @+1 {{Expected 1 result, but got 0}}
"dist.store"() : () -> ()

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{Expected 0 operands, but got 1}}
%t = "dist.store"(%s) : (!dist.store<4xf64>) -> !dist.store<4xf64>

// -----

// expected-error @+1 {{property 'wrong' is not defined by the operation 'dist.store'}}
%s = "dist.store"() <{wrong}> : () -> !dist.store<4xf64>

// -----

// Scalars

// expected-error @+1 {{a scalar without a name needs a value}}
%a = dist.scalar : f64

// -----

// expected-error @+1 {{a scalar has type i1, i8…i64, f32 or f64, not index}}
%a = dist.scalar "a" : index

// -----

// Scalars are values of kernels, which are signless.
// expected-error @+1 {{a scalar has type i1, i8…i64, f32 or f64, not ui32}}
%a = dist.scalar "a" : ui32

// -----

// expected-error @+1 {{a scalar has type i1, i8…i64, f32 or f64, not !dist.store<4xf64>}}
%a = dist.scalar "a" : !dist.store<4xf64>

// -----

// expected-error @+1 {{expected a number with its type}}
%a = dist.scalar "a" = "2.0"

// -----

// expected-error @+1 {{expected a number with its type}}
%a = dist.scalar "a" = dense<1.0> : tensor<4xf64>

// -----

// expected-error @+1 {{a scalar has type i1, i8…i64, f32 or f64, not f16}}
%a = dist.scalar "a" = 2.0 : f16

// -----

// expected-error @+1 {{the default has type f32, the scalar f64}}
%a = "dist.scalar"() <{value = 2.0 : f32}> : () -> f64

// -----

// expected-error @+1 {{Unexpected attribute "two"}}
%a = "dist.scalar"() <{value = "two"}> : () -> f64

// -----

// expected-error @+1 {{Integer value 300 is out of range for type i8}}
%a = dist.scalar "a" = 300 : i8

// -----

// Properties in the attribute dictionary

// expected-error @+1 {{'store_name' is no attribute but a property of dist.store}}
%s = dist.store {store_name = "x"} : !dist.store<4xf64>

// -----

// expected-error @+1 {{'value' is no attribute but a property of dist.scalar}}
%a = dist.scalar "a" : f64 {value = 2.0 : f64}

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{'index_map' is no attribute but a property of dist.view}}
%v = dist.view %s (d0) -> (d0) {index_map = 1 : i64} : !dist.store<4xf64> -> !dist.view<4xf64>

// -----

func.func private @f()
// expected-error @+1 {{'task' is no attribute but a property of dist.launch}}
dist.launch @f<[4]>() {task = @g} : ()

// -----

func.func private @f()
// expected-error @+1 {{'operandSegmentSizes' is no attribute but a property of dist.launch}}
dist.launch @f<[4]>() {operandSegmentSizes = array<i32: 1, 0>} : ()

// -----

// expected-error @+1 {{'domain' is no attribute but a property of dist.fused_task}}
dist.fused_task<[4]> attributes {domain = array<i64: 2>} {
}

// -----

// Views

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{a view of f64 elements cannot have elements of i64}}
%v = dist.view %s (d0) -> (d0) : !dist.store<4xf64> -> !dist.view<4xi64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{the map takes 2 dimensions, the view has 1}}
%v = dist.view %s (d0, d1) -> (d0) : !dist.store<4xf64> -> !dist.view<4xf64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{the map has 2 results, the store has rank 1}}
%v = dist.view %s (d0) -> (d0, 0) : !dist.store<4xf64> -> !dist.view<4xf64>

// -----

%s = dist.store : !dist.store<4x4xf64>
// expected-error @+1 {{a view dimension appears in two results of the map}}
%v = dist.view %s (d0) -> (d0, d0) : !dist.store<4x4xf64> -> !dist.view<4xf64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{indices 1 to 4 leave dimension 0 of the store, which has extent 4}}
%v = dist.view %s (d0) -> (d0 + 1) : !dist.store<4xf64> -> !dist.view<4xf64>

// -----

%s = dist.store : !dist.store<8x4xf64>
// expected-error @+1 {{indices -1 to 2 leave dimension 1 of the store, which has extent 4}}
%v = dist.view %s (d0, d1) -> (d0, d1 * -1 + 2) : !dist.store<8x4xf64> -> !dist.view<8x4xf64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{indices 4 to 4 leave dimension 0 of the store, which has extent 4}}
%v = dist.view %s () -> (4) : !dist.store<4xf64> -> !dist.view<f64>

// -----

// No index lies in an empty store.
%s = dist.store : !dist.store<0xf64>
// expected-error @+1 {{indices 0 to 0 leave dimension 0 of the store, which has extent 0}}
%v = dist.view %s () -> (0) : !dist.store<0xf64> -> !dist.view<f64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{index arithmetic in dimension 0 leaves the range ±2^62}}
%v = dist.view %s (d0) -> (d0 * 99999999999999999999) : !dist.store<4xf64> -> !dist.view<4xf64>

// -----

// The stride would not fit a machine word, though one element never takes the step.
%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{index arithmetic in dimension 0 leaves the range ±2^62}}
%v = dist.view %s (d0) -> (d0 * -4611686018427387904) : !dist.store<4xf64> -> !dist.view<1xf64>

// -----

// Nor would the offset, though no element is there.
%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{index arithmetic in dimension 0 leaves the range ±2^62}}
%v = dist.view %s (d0) -> (d0 + 4611686018427387904) : !dist.store<4xf64> -> !dist.view<0xf64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{expected a !dist.view type}}
%v = dist.view %s (d0) -> (d0) : !dist.store<4xf64> -> !dist.store<4xf64>

// -----

// A view of a view is written as one view of the store.
%s = dist.store : !dist.store<4xf64>
%v = dist.view %s (d0) -> (d0) : !dist.store<4xf64> -> !dist.view<4xf64>
// expected-error @+1 {{expected a !dist.store type}}
%w = dist.view %v (d0) -> (d0) : !dist.view<4xf64> -> !dist.view<4xf64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{operand is used with type !dist.store<8xf64>, but has been previously used or defined with type !dist.store<4xf64>}}
%v = dist.view %s (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<4xf64>

// -----

// expected-error @+1 {{values used but not defined: [%s]}}
%v = dist.view %s (d0) -> (d0) : !dist.store<4xf64> -> !dist.view<4xf64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{Expected '->'}}
%v = dist.view %s (d0) -> (d0) : !dist.store<4xf64>, !dist.view<4xf64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{property 'index_map' expected}}
%v = "dist.view"(%s) : (!dist.store<4xf64>) -> !dist.view<4xf64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{affine_map<(d0) -> (d0)> should be of base attribute dist.map}}
%v = "dist.view"(%s) <{index_map = affine_map<(d0) -> (d0)>}> : (!dist.store<4xf64>) -> !dist.view<4xf64>

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{f64 should be of base attribute dist.view}}
%v = "dist.view"(%s) <{index_map = #dist.map<(d0) -> (d0)>}> : (!dist.store<4xf64>) -> f64

// -----

%t = "test.op"() : () -> tensor<4xf64>
// expected-error @+1 {{tensor<4xf64> should be of base attribute dist.store}}
%v = "dist.view"(%t) <{index_map = #dist.map<(d0) -> (d0)>}> : (tensor<4xf64>) -> !dist.view<4xf64>

// -----

// Stores come from dist.store.
%s = "test.op"() : () -> !dist.store<4xf64>
// expected-error @+1 {{the store is not made by dist.store}}
%v = dist.view %s (d0) -> (d0) : !dist.store<4xf64> -> !dist.view<4xf64>

// -----

// Releases and fences

%s = dist.store : !dist.store<4xf64>
%v = dist.view %s (d0) -> (d0) : !dist.store<4xf64> -> !dist.view<4xf64>
// expected-error @+1 {{!dist.view<4xf64> should be of base attribute dist.store}}
dist.release %v : !dist.view<4xf64>

// -----

%s = "test.op"() : () -> !dist.store<4xf64>
// expected-error @+1 {{the store is not made by dist.store}}
dist.release %s : !dist.store<4xf64>

// -----

// expected-error @+1 {{Expected 1 operand, but got 0}}
"dist.release"() : () -> ()

// -----

%s = dist.store : !dist.store<4xf64>
// expected-error @+1 {{Expected 0 operands, but got 1}}
"dist.fence"(%s) : (!dist.store<4xf64>) -> ()

// -----

// expected-error @+1 {{unknown operation 'dist.barrier'}}
dist.barrier
