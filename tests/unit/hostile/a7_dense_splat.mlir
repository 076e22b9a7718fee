%0 = arith.constant dense<0.0> : tensor<1000000000xf64>
