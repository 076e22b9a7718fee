func.func private @f(!dist.stroe<4xf64>)
