"test.op"() {a = "one
two"} : () -> ()
