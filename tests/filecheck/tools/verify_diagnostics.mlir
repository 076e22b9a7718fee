// RUN: fuseir-opt %s --split-input-file --verify-diagnostics --parsing-diagnostics | filecheck %s
// RUN: not fuseir-opt %s --split-input-file --parsing-diagnostics 2>&1 | filecheck %s
// RUN: fuseir-opt %s --split-input-file --disable-verify --parsing-diagnostics | filecheck %s --check-prefix=DISABLED

// As in xdsl-opt: the diagnostic goes to standard output and the exit code is 0.

// CHECK:      verify_diagnostics.mlir:14:3: error: 'func.return' Expected arguments to have the same types
// CHECK-NEXT:   func.return
// CHECK-NEXT:   ^
// DISABLED:   func.func @missing
// DISABLED-NEXT: func.return
func.func @missing() -> f64 {
  // The caret stands under the operation.
  func.return
}

// -----

// CHECK:      verify_diagnostics.mlir:22:1: error: Expected argument or type
// DISABLED:   verify_diagnostics.mlir:22:1: error: Expected argument or type
func.func private @f(
