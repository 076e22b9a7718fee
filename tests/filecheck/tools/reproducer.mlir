// RUN: rm -f %t && not fuseir-opt %s -p cse,mlir-opt[nothing] --pass-pipeline-crash-reproducer=%t 2>&1 | filecheck %s --check-prefix=FAILS
// RUN: filecheck %s --check-prefix=FILE --input-file=%t
// RUN: not fuseir-opt --run-reproducer %t 2>&1 | filecheck %s --check-prefix=AGAIN
// RUN: not fuseir-opt --run-reproducer %s 2>&1 | filecheck %s --check-prefix=NONE

// FAILS: error: pass 'mlir-opt' failed
// FAILS: note: reproducer: {{.*}}reproducer
// FILE:  // fuseir-opt reproducer, passes: cse,mlir-opt
// FILE:  func.func private @f
// AGAIN: error: pass 'mlir-opt' failed
// NONE:  error: --run-reproducer: the input's first line is not
func.func private @f()
