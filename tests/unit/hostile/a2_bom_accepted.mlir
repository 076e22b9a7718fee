"test.op"() : ( -> ()
