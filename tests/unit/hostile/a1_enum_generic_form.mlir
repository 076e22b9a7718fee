%0 = "test.op"() : () -> i32
%1 = "arith.cmpi"(%0, %0) <{predicate = 99 : i64}> : (i32, i32) -> i1
