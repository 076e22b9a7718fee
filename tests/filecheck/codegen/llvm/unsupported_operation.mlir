// RUN: not fuseir-opt %s -t llvm 2>&1 | filecheck %s

// What lowered kernels may not hold is refused where it stands.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @power(%x: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    %p = math.fpowi %e, %c1 : f64, index
    memref.store %p, %x[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: unsupported_operation.mlir:12:5: error: 'math.fpowi' is no operation of lowered kernels
