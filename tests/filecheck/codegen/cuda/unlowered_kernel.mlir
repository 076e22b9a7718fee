// RUN: fuseir-opt %s -t cuda --verify-diagnostics=expected

// expected-error @+1 {{a kernel on tensors is not in the form that code is generated for: run lower-kernels first}}
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  func.return %x : tensor<?xf64>
}
