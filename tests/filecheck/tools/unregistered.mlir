// RUN: fuseir-opt %s --allow-unregistered-dialect | filecheck %s
// RUN: not fuseir-opt %s 2>&1 | filecheck %s --check-prefix=ERROR

// CHECK: %{{.*}} = "other.op"() {a = #other.attr<"<">} : () -> !other.type
// ERROR: unregistered.mlir:6:7: error: unknown operation 'other.op'
%0 = "other.op"() {a = #other.attr<"<">} : () -> !other.type
