"nosuch.op"() : () -> ()
