// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
// RUN: not fuseir-opt %s --split-input-file -o /dev/null 2>&1 | filecheck %s

// CHECK: expected_diagnostics.mlir:6:{{[0-9]+}}: error: operand is used with type f32
func.func @wrong_type(%a: f64) -> f32 {
  %0 = arith.addf %a, %a : f32 // expected-error {{used with type f32}}
  func.return %0 : f32
}

// -----

func.func @order(%a: f64) {
  // expected-error @+1 {{before its definition}}
  %0 = arith.addf %1, %a : f64
  %1 = arith.addf %a, %a : f64
  func.return
}

// -----

func.func @missing_return_value() -> f64 {
  func.return
  // expected-error @above {{the same types as the function output types}}
}

// -----

func.func private @right()
