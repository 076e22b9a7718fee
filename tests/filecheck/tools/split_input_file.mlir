// RUN: not fuseir-opt %s --split-input-file 2>&1 | filecheck %s
// RUN: fuseir-opt %s --split-input-file --parsing-diagnostics | filecheck %s
// RUN: not fuseir-opt %s --split-input-file -o %t 2>&1 | filecheck %s --check-prefix=ERROR
// RUN: not cat %t

// Chunks are worked on one by one, line numbers are the file's, and no chunk's error stops the next.

// CHECK-DAG:   func.func private @one
// CHECK-DAG:   split_input_file.mlir:17:1: error: unknown operation 'arith.nosuch'
// CHECK-DAG:   func.func private @three
// ERROR:       split_input_file.mlir:17:1: error
func.func private @one()

// -----

// The line of the next operation counts from the file's start.
arith.nosuch

// -----

func.func private @three()
