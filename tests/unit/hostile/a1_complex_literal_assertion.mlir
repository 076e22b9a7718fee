"test.op"() {a = dense<1> : tensor<2xcomplex<f32>>} : () -> ()
