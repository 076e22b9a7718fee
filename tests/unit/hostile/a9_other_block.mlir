func.func @f(%c: i1) {
  cf.cond_br %c, ^one, ^two
^one:
  %z = arith.constant 1 : i32
  cf.br ^two
^two:
  "test.op"(%z) : (i32) -> ()
  func.return
}
