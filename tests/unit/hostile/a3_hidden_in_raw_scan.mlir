// ARGS: --allow-unregistered-dialect
"test.op"() {a = #x.y<//">"> "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
} : () -> ()
