// RUN: fuseir-opt %s | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// Stores

// CHECK: %x = dist.store "x" : !dist.store<8xf64>
// GENERIC: %x = "dist.store"() <{store_name = "x"}> : () -> !dist.store<8xf64>
%x = dist.store "x" : !dist.store<8xf64>
// CHECK: %z = dist.store : !dist.store<8x4xi1>
// GENERIC: %z = "dist.store"() : () -> !dist.store<8x4xi1>
%z = dist.store : !dist.store<8x4xi1>
// A name is any string.
// CHECK: %odd = dist.store "a \22b\22\0A" : !dist.store<0xf32>
%odd = dist.store "a \"b\"\0A" : !dist.store<0xf32>
// CHECK: %noted = dist.store "n" {note = 1 : i64} : !dist.store<f64>
%noted = dist.store "n" {note = 1 : i64} : !dist.store<f64>

// Scalars

// CHECK: %a = dist.scalar "a" : f64
// GENERIC: %a = "dist.scalar"() <{scalar_name = "a"}> : () -> f64
%a = dist.scalar "a" : f64
// CHECK: %b = dist.scalar "b" = 2.000000e+00 : f32
// GENERIC: %b = "dist.scalar"() <{scalar_name = "b", value = 2.000000e+00 : f32}> : () -> f32
%b = dist.scalar "b" = 2.0 : f32
// CHECK: %c = dist.scalar = -5 : i64
%c = dist.scalar = -5
// CHECK: %d = dist.scalar = true
%d = dist.scalar = true
// Bits survive: the sign of zero, infinities, the payload of NaN.
// CHECK: %e = dist.scalar = -0.000000e+00 : f64
%e = dist.scalar = -0.0 : f64
// CHECK: %f = dist.scalar = 0xfff0000000000000 : f64
%f = dist.scalar = 0xFFF0000000000000 : f64
// CHECK: %g = dist.scalar = 0x7ff8000000000001 : f64
%g = dist.scalar = 0x7FF8000000000001 : f64
// CHECK: %h = dist.scalar "h" : i8 {note}
%h = dist.scalar "h" : i8 {note}

// Views

// CHECK: %v = dist.view %x (d0) -> (d0 + 1) : !dist.store<8xf64> -> !dist.view<7xf64>
// GENERIC: %v = "dist.view"(%x) <{index_map = #dist.map<(d0) -> (d0 + 1)>}> : (!dist.store<8xf64>) -> !dist.view<7xf64>
%v = dist.view %x (d0) -> (d0 + 1) : !dist.store<8xf64> -> !dist.view<7xf64>
// CHECK: %odds = dist.view %x (d0) -> (d0 * 2 + 1) : !dist.store<8xf64> -> !dist.view<4xf64>
%odds = dist.view %x (i) -> (i * 2 + 1) : !dist.store<8xf64> -> !dist.view<4xf64>
// CHECK: %reversed = dist.view %x (d0) -> (d0 * -1 + 7) {note} : !dist.store<8xf64> -> !dist.view<8xf64>
%reversed = dist.view %x (d0) -> (7 - d0) {note} : !dist.store<8xf64> -> !dist.view<8xf64>
// CHECK: %row = dist.view %z (d0) -> (3, d0) : !dist.store<8x4xi1> -> !dist.view<4xi1>
%row = dist.view %z (d0) -> (3, d0) : !dist.store<8x4xi1> -> !dist.view<4xi1>
// CHECK: %transposed = dist.view %z (d0, d1) -> (d1, d0) : !dist.store<8x4xi1> -> !dist.view<4x8xi1>
%transposed = dist.view %z (d0, d1) -> (d1, d0) : !dist.store<8x4xi1> -> !dist.view<4x8xi1>
// CHECK: %broadcast = dist.view %x (d0, d1) -> (d1) : !dist.store<8xf64> -> !dist.view<1000x8xf64>
%broadcast = dist.view %x (d0, d1) -> (d1) : !dist.store<8xf64> -> !dist.view<1000x8xf64>
// CHECK: %element = dist.view %x () -> (7) : !dist.store<8xf64> -> !dist.view<f64>
%element = dist.view %x () -> (7) : !dist.store<8xf64> -> !dist.view<f64>
// A view without elements leaves nothing.
// CHECK: %nothing = dist.view %x (d0) -> (d0 + 100) : !dist.store<8xf64> -> !dist.view<0xf64>
%nothing = dist.view %x (d0) -> (d0 + 100) : !dist.store<8xf64> -> !dist.view<0xf64>

// Ends

// CHECK: dist.release %x : !dist.store<8xf64>
// GENERIC: "dist.release"(%x) : (!dist.store<8xf64>) -> ()
dist.release %x : !dist.store<8xf64>
// CHECK: dist.release %z {note} : !dist.store<8x4xi1>
dist.release %z {note} : !dist.store<8x4xi1>
// CHECK: dist.fence
// GENERIC: "dist.fence"() : () -> ()
dist.fence
// CHECK-NEXT: dist.fence {note}
dist.fence {note}
