"test.op"() {a = #dist.tilling<[4]>} : () -> ()
