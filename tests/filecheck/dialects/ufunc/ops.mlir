// RUN: fuseir-opt %s | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @functions
func.func @functions(%a: f64, %b: f64, %c: f32) -> f64 {
  // CHECK-NEXT: ufunc.fmod %a, %b : f64
  // GENERIC: "ufunc.fmod"(%a, %b) : (f64, f64) -> f64
  %0 = ufunc.fmod %a, %b : f64
  // CHECK-NEXT: ufunc.hypot %c, %c : f32
  // GENERIC: "ufunc.hypot"(%c, %c) : (f32, f32) -> f32
  %1 = ufunc.hypot %c, %c : f32
  // CHECK-NEXT: ufunc.nextafter %a, %b {note = 1 : i64} : f64
  %2 = ufunc.nextafter %a, %b {note = 1 : i64} : f64
  // CHECK-NEXT: ufunc.erfc %b : f64
  // GENERIC: "ufunc.erfc"(%b) : (f64) -> f64
  %3 = ufunc.erfc %b : f64
  func.return %0 : f64
}
