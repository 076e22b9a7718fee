"test.op"() {a = dense<"0x00"> : vector<1000000000xi8>} : () -> ()
