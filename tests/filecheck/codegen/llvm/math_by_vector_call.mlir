// RUN: fuseir-opt %s -t llvm | filecheck %s

// Math functions that are not written out are calls of the C library's vector functions, a register at a time. LLVM must not know what
// they are: it would fold them with other bits.
!v = memref<?xf64, strided<[?], offset: ?>>
func.func @cube_root(%x: !v) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !v
  "scf.parallel"(%c0, %n, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %e = memref.load %x[%i] : !v
    %p = math.cbrt %e : f64
    memref.store %p, %x[%i] : !v
    scf.reduce
  }) {vector} : (index, index, index) -> ()
  func.return
}

// CHECK: [[E:%v\d+]] = load <16 x double>
// CHECK: [[LOW:%v\d+]] = shufflevector <16 x double> [[E]], {{.*}}<i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>
// CHECK: call <8 x double> @_ZGVeN8v_cbrt(<8 x double> [[LOW]]) nobuiltin
// CHECK: [[HIGH:%v\d+]] = shufflevector <16 x double> [[E]], {{.*}}<i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
// CHECK: call <8 x double> @_ZGVeN8v_cbrt(<8 x double> [[HIGH]]) nobuiltin
// CHECK: declare <8 x double> @_ZGVeN8v_cbrt(<8 x double>) nounwind willreturn memory(none)
