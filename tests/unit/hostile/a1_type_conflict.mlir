func.func @f(%a: f64, %b: f64) -> f64 {
  %0 = arith.addf %a, %b : f32
  func.return %a : f64
}
