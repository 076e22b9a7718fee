"test.op"() {a = affine_map<(d0) -> (5 mod 0)>} : () -> ()
