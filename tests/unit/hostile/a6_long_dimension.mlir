func.func private @f(tensor<11111111111111111111111xf64>)
