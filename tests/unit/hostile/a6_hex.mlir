"test.op"() {a = 0xffffffffffffffffffffffffffffffffffffffff} : () -> ()
