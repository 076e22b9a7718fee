func.func @f(%a: f64, %b: f64) -> f64 {
  %0 = arith.addq %a, %b : f64
  func.return %a : f64
}
