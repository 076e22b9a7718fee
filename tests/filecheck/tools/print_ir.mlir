// RUN: fuseir-opt %s -p cse,canonicalize --print-ir-before=canonicalize -o /dev/null 2>&1 | filecheck %s --check-prefix=BEFORE
// RUN: fuseir-opt %s -p cse,canonicalize --mlir-print-ir-after-all -o /dev/null 2>&1 | filecheck %s --check-prefix=ALL
// RUN: fuseir-opt %s -p cse,cse --print-ir-after-change -o /dev/null 2>&1 | filecheck %s --check-prefix=CHANGE
// RUN: fuseir-opt %s -p cse,canonicalize --print-between-passes | filecheck %s --check-prefix=BETWEEN
// RUN: rm -rf %t && fuseir-opt %s -p cse,canonicalize --print-ir-tree-dir=%t -o /dev/null
// RUN: filecheck %s --check-prefix=TREE --input-file=%t/chunk_0/0_cse.mlir

// BEFORE:       // -----// IR Dump Before canonicalize //----- //
// BEFORE-NEXT:  builtin.module {
// BEFORE-NOT:   IR Dump

// ALL:          // -----// IR Dump After cse //----- //
// ALL:          // -----// IR Dump After canonicalize //----- //

// CHANGE:       // -----// IR Dump After cse //----- //
// CHANGE-NOT:   IR Dump

// BETWEEN:      IR after cse:
// BETWEEN-NEXT: builtin.module {

// TREE:         builtin.module {
// TREE-NEXT:      func.func @twice
// TREE-NEXT:        arith.addf
// TREE-NEXT:        arith.mulf
func.func @twice(%a: f64) -> f64 {
  %0 = arith.addf %a, %a : f64
  %1 = arith.addf %a, %a : f64
  %2 = arith.mulf %0, %1 : f64
  func.return %2 : f64
}
