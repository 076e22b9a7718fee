// RUN: not fuseir-opt %s -t llvm 2>&1 | filecheck %s
// RUN: fuseir-opt %s -p lower-kernels -t llvm | filecheck %s --check-prefix=LOWERED

// Code is generated for kernels on memrefs. One on tensors is no reason to print nothing; a declaration is of no concern.
func.func private @opaque(tensor<?xf64>) -> tensor<?xf64>
func.func @keep(%x: tensor<?xf64>) -> tensor<?xf64> {
  func.return %x : tensor<?xf64>
}
// CHECK: unlowered_kernel.mlir:6:1: error: a kernel on tensors is not in the form that code is generated for: run lower-kernels first
// LOWERED: define i32 @fz_task_1_
