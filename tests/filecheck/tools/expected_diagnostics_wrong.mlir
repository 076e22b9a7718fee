// RUN: not fuseir-opt %s --split-input-file --expected-diagnostics -o /dev/null 2>&1 | filecheck %s

// An error that nobody expects, an expectation that nothing meets, one on the wrong line, one that is misspelt.

// CHECK:      expected_diagnostics_wrong.mlir:10:1: error: unexpected error: unknown operation 'nosuch.op'
// CHECK-NEXT: expected_diagnostics_wrong.mlir:14: error: expected error "of another kind" was not produced
// CHECK-NEXT: expected_diagnostics_wrong.mlir:20:1: error: unexpected error: unknown operation 'nosuch.op'
// CHECK-NEXT: expected_diagnostics_wrong.mlir:19: error: expected error "nosuch.op" was not produced
// CHECK-NEXT: expected_diagnostics_wrong.mlir:24:4: error: expected '// expected
nosuch.op

// -----

// expected-error {{of another kind}}
func.func private @right()

// -----

// expected-error {{nosuch.op}}
nosuch.op

// -----

// expected-eror {{nosuch.op}}
nosuch.op
