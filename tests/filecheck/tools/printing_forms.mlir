// RUN: fuseir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: fuseir-opt %s --mlir-print-op-generic --print-no-properties | filecheck %s --check-prefix=ATTRIBUTES
// RUN: fuseir-opt %s --mlir-print-debuginfo | filecheck %s --check-prefix=LOCATIONS
// RUN: fuseir-opt %s --allow-unregistered-dialect --verify-roundtrip -o %t && fuseir-opt --allow-unregistered-dialect %t | diff %t -

// GENERIC:    "func.func"() <{sym_name = "f"
// ATTRIBUTES: "func.func"() ({
// ATTRIBUTES: }) {sym_name = "f"
// LOCATIONS:  arith.addf %a, %a : f64 loc("{{.*}}printing_forms.mlir":12:3)
// LOCATIONS:  arith.mulf %0, %a : f64 loc("elsewhere.py":3:4)
func.func @f(%a: f64) -> f64 {
  %0 = arith.addf %a, %a : f64
  %1 = arith.mulf %0, %a : f64 loc("elsewhere.py":3:4)
  func.return %1 : f64
}
