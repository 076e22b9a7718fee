func.func @f(%a: f64, %b: f64) -> f64 {
  %0 = arith.addf %1, %b : f64
  %1 = arith.addf %a, %b : f64
  func.return %a : f64
}
