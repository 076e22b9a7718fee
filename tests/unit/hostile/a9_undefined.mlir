"test.op"(%nowhere) : (i32) -> ()
