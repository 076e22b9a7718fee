// RUN: fuseir-opt %s -p cse,canonicalize | filecheck %s
// RUN: fuseir-opt %s --pass-pipeline='builtin.module(cse,canonicalize)' | filecheck %s
// RUN: fuseir-opt %s --cse -canonicalize | filecheck %s
// RUN: cat %s | fuseir-opt - -p cse -p canonicalize | filecheck %s

// CHECK-LABEL: func.func @twice
// CHECK-NEXT:    %{{.*}} = arith.addf
// CHECK-NEXT:    %{{.*}} = arith.mulf
// CHECK-NEXT:    func.return
func.func @twice(%a: f64) -> f64 {
  %unused = arith.constant 1.0 : f64
  %0 = arith.addf %a, %a : f64
  %1 = arith.addf %a, %a : f64
  %2 = arith.mulf %0, %1 : f64
  func.return %2 : f64
}
