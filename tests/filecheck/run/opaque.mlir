// RUN: not fuseir-run %s --in x=ones 2>&1 | filecheck %s

// CHECK: opaque.mlir:9:1: error: task '@solve' has no body: opaque tasks run in Python programs only [FIR-E005]
// CHECK-NEXT: dist.launch @solve
// CHECK-NEXT: ^

func.func private @solve(tensor<?xf64>)
%x = dist.store "x" : !dist.store<2xf64>
dist.launch @solve<[1]>(%x: read #dist.none) : (!dist.store<2xf64>)
