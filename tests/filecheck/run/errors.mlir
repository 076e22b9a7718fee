// RUN: not fuseir-run %s 2>&1 | filecheck %s --check-prefix=MISSING
// RUN: not fuseir-run %s --in x=ones --in y=ones 2>&1 | filecheck %s --check-prefix=UNKNOWN
// RUN: not fuseir-run %s --in x=%s 2>&1 | filecheck %s --check-prefix=FILE
// RUN: not fuseir-run %s --in x=ones --out x=%t.none/x.npy 2>&1 | filecheck %s --check-prefix=OUT
// RUN: not fuseir-run %s --in x=ones --scalar n=256 2>&1 | filecheck %s --check-prefix=SCALAR

// One line says what is wrong.

// MISSING: error: store 'x' (!dist.store<2xf64>) is used before it is written: give it contents with --in x=SOURCE [FIR-E004]
// UNKNOWN: error: --in: the program has no store 'y'; its stores are x [FIR-E004]
// FILE: error: {{.*}} is no .npy file [FIR-E011]
// OUT: error: cannot write {{.*}}: there is no directory {{.*}} [FIR-E011]
// SCALAR: error: scalar 'n' has type i8, which cannot hold 256 [FIR-E007]

func.func @increment(%z: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 1.0 : f64
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64):
    %0 = arith.addf %a, %c : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !dist.store<2xf64>
%n = dist.scalar "n" = 3 : i8
dist.launch @increment<[1]>(%x: read_write #dist.none) : (!dist.store<2xf64>)
