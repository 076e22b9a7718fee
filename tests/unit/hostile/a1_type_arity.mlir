func.func private @f(!dist.store<>)
