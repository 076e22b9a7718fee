func.func @f() {
  %x = dist.store "x" : !dist.store<16xf64>
  func.return
}
