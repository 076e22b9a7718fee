func.func @f(%a: f64, %b: f64) -> f64 {
  %0 = arith.addf %0, %b : f64
  func.return %a : f64
}
