// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null

func.func @f(%a: i64, %b: i64) {
  // expected-error @+1 {{Unexpected attribute i64}}
  %0 = ufunc.fmod %a, %b : i64
  func.return
}

// -----

func.func @f(%a: f16) {
  // expected-error @+1 {{Unexpected attribute f16}}
  %0 = ufunc.erfc %a : f16
  func.return
}

// -----

// Element types only: tensors are the business of linalg.generic.
func.func @f(%a: tensor<4xf64>) {
  // expected-error @+1 {{Unexpected attribute tensor<4xf64>}}
  %0 = ufunc.erfc %a : tensor<4xf64>
  func.return
}

// -----

func.func @f(%a: f64, %b: f32) {
  // expected-error @+1 {{operand is used with type f64, but has been previously used or defined with type f32}}
  %0 = ufunc.hypot %a, %b : f64
  func.return
}

// -----

func.func @f(%a: f64, %b: f32) {
  // expected-error @+1 {{attribute f64 expected from variable 'T', but got f32}}
  %0 = "ufunc.hypot"(%a, %b) : (f64, f32) -> f64
  func.return
}

// -----

func.func @f(%a: f64) {
  // expected-error @+1 {{attribute f64 expected from variable 'T', but got f32}}
  %0 = "ufunc.erfc"(%a) : (f64) -> f32
  func.return
}

// -----

func.func @f(%a: f64) {
  // expected-error @+1 {{Expected 2 operands, but got 1}}
  %0 = "ufunc.nextafter"(%a) : (f64) -> f64
  func.return
}

// -----

func.func @f(%a: f64) {
  // expected-error @+1 {{Expected ','}}
  %0 = ufunc.fmod %a : f64
  func.return
}

// -----

func.func @f(%a: f64) {
  // expected-error @+1 {{unknown operation 'ufunc.gamma'}}
  %0 = ufunc.gamma %a : f64
  func.return
}
