func.func @f(%a: f64) -> f64 {
  func.return
}
