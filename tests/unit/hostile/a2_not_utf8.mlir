// fine
"test.op"() {a = "ÿþ"} : () -> ()
