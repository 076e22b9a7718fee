// RUN: fuseir-opt %s -p cse,canonicalize,cse --timing -o /dev/null 2>&1 | filecheck %s
// RUN: fuseir-opt %s -p cse,canonicalize --time-passes | filecheck %s --check-prefix=XDSL

// CHECK:      ===- Pass execution timing report -===
// CHECK:      cse
// CHECK-NEXT: canonicalize
// CHECK-NEXT: (100.0%)  Total

// XDSL:       Pass cse took {{.*}} seconds
// XDSL-NEXT:  Pass canonicalize took {{.*}} seconds
func.func private @f()
