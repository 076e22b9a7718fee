%0 = arith.constant 300 : i8
