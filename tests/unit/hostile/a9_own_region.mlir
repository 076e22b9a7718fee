%0 = "test.op"() ({
  "test.op"(%0) : (i32) -> ()
  "test.termop"() : () -> ()
}) : () -> i32
