func.func @f(%c: i1) {
  "test.op"(%z) : (i32) -> ()
  scf.if %c {
    %z = arith.constant 1 : i32
  }
  func.return
}
