// RUN: fuseir-opt %s -t cuda | filecheck %s

// A diagonal moves along two dimensions at a time: there are no packs of it, and so there is no version with packs.
!m = memref<?x?xf64, strided<[?, ?], offset: ?>>
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @diagonal(%x: !m, %z: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %z, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i, %i] : !m
    memref.store %e, %z[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK-NOT: Pack
// CHECK: for (Index i0 = blockIdx.x * blockDim.x + threadIdx.x; i0 < n0; i0 += gridDim.x * blockDim.x) {
// CHECK-NEXT: const double v1 = a0[i0 * a0_s0 + i0 * a0_s1];
// CHECK-NEXT: a1[i0 * a1_s0] = v1;
// CHECK-NOT: _packed
