// RUN: fuseir-opt %s -t llvm | filecheck %s

// A function without a vector form is called for each lane, out of the kernel's sight.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @rest(%x: !v, %y: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    %f = memref.load %y[%i] : !v
    %p = ufunc.fmod %e, %f : f64
    memref.store %p, %x[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: call <16 x double> @fz_lanes_0_{{.*}}(<16 x double> {{.*}}, <16 x double> {{.*}})
// CHECK: define <16 x double> @fz_lanes_0_
// CHECK: call double @fmod(double {{.*}}, double {{.*}}) nobuiltin
// CHECK: declare double @fmod(double, double)
