func.func private @größe()
