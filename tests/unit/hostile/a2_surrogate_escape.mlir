func.func private @"\ED\A0\80"()
