// RUN: xdsl-opt %s -p cse | filecheck %s

// xdsl-opt finds FuseIR's dialects through the universe.

// CHECK: %x = dist.store "x" : !dist.store<16xf64>
%x = dist.store "x" : !dist.store<16xf64>
