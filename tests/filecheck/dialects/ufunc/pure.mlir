// RUN: fuseir-opt %s --cse --dce | filecheck %s

// They have no effects: equal ones are one, unused ones are none.

// CHECK-LABEL: func.func @equal
// CHECK-NEXT:    %[[one:[0-9]+]] = ufunc.hypot
// CHECK-NEXT:    arith.addf %[[one]], %[[one]]
func.func @equal(%a: f64, %b: f64) -> f64 {
  %0 = ufunc.hypot %a, %b : f64
  %1 = ufunc.hypot %a, %b : f64
  %2 = arith.addf %0, %1 : f64
  func.return %2 : f64
}

// CHECK-LABEL: func.func @unused
// CHECK-NEXT:    func.return
func.func @unused(%a: f64, %b: f64) {
  %0 = ufunc.fmod %a, %b : f64
  %1 = ufunc.nextafter %a, %b : f64
  %2 = ufunc.erfc %a : f64
  func.return
}
