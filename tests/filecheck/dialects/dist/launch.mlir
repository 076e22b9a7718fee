// RUN: fuseir-opt %s | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

#halves = #dist.tiling<[4]>
#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>

func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @sum(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %acc, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
func.func private @nothing()
func.func private @scale(tensor<?xf64>, f64, i64) -> tensor<?xf64>
func.func private @look(tensor<?xf64>)
func.func private @look_twice(tensor<?xf64>, tensor<?xf64>)
func.func private @fold(tensor<?xi32>) -> tensor<?xi32>
func.func private @fold_twice(tensor<?xi32>, tensor<?xi32>) -> (tensor<?xi32>, tensor<?xi32>)

%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
%z = dist.store : !dist.store<8xf64>
%s = dist.store "s" : !dist.store<f64>
%u = dist.store "u" : !dist.store<8xui32>
%a = dist.scalar "a" : f64
%n = dist.scalar = 3
%tail = dist.view %x (d0) -> (d0 + 4) : !dist.store<8xf64> -> !dist.view<4xf64>
%head = dist.view %x (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<4xf64>

// Launch domains of any rank, none and empty ones included.

// CHECK: dist.launch @nothing<[4]>() : ()
// GENERIC: "dist.launch"() <{task = @nothing, domain = array<i64: 4>, privileges = [], partitions = [], operandSegmentSizes = array<i32: 0, 0>}> : () -> ()
dist.launch @nothing<[4]>() : ()
// CHECK-NEXT: dist.launch @nothing<[]>() : ()
dist.launch @nothing<[]>() : ()
// CHECK-NEXT: dist.launch @nothing<[2, 0, 3]>() : ()
dist.launch @nothing<[2, 0, 3]>() : ()
// CHECK-NEXT: dist.launch @nothing<[2147483648, 2147483647]>() : ()
dist.launch @nothing<[2147483648, 2147483647]>() : ()

// Arguments

// CHECK: dist.launch @copy<[2]>(%x: read #dist.tiling<[4]>, %z: write #dist.tiling<[4]>) : (!dist.store<8xf64>, !dist.store<8xf64>)
// GENERIC: "dist.launch"(%x, %z) <{task = @copy, domain = array<i64: 2>, privileges = [#dist.privilege<read>, #dist.privilege<write>],
// GENERIC-SAME: partitions = [#dist.tiling<[4]>, #dist.tiling<[4]>], operandSegmentSizes = array<i32: 2, 0>}>
dist.launch @copy<[2]>(%x: read #halves, %z: write #halves) : (!dist.store<8xf64>, !dist.store<8xf64>)
// CHECK-NEXT: dist.launch @sum<[2]>(%z: read #dist.tiling<[4]>, %s: reduce<add> #dist.none) : (!dist.store<8xf64>, !dist.store<f64>)
dist.launch @sum<[2]>(%z: read #halves, %s: reduce<add> #dist.none) : (!dist.store<8xf64>, !dist.store<f64>)
// CHECK-NEXT: dist.launch @look<[2, 2]>(%x: no_access #dist.tiling<[4], (d0, d1) -> (d1)>) {note} : (!dist.store<8xf64>)
dist.launch @look<[2, 2]>(%x: no_access #dist.tiling<[4], (i, j) -> (j)>) {note} : (!dist.store<8xf64>)
// Kernels are signless: unsigned elements appear as i32.
// CHECK-NEXT: dist.launch @fold<[2]>(%u: reduce<max> #dist.tiling<[4], (d0) -> (0)>) : (!dist.store<8xui32>)
dist.launch @fold<[2]>(%u: reduce<max> #dist.tiling<[4], (d0) -> (0)>) : (!dist.store<8xui32>)

// Scalars

// CHECK-NEXT: dist.launch @scale<[2]>(%y: read_write #dist.tiling<[4]>) scalars(%a, %n) : (!dist.store<8xf64>, f64, i64)
// GENERIC: "dist.launch"(%y, %a, %n) <{task = @scale, domain = array<i64: 2>,
// GENERIC-SAME: operandSegmentSizes = array<i32: 1, 2>}>
dist.launch @scale<[2]>(%y: read_write #halves) scalars(%a, %n) : (!dist.store<8xf64>, f64, i64)

// What may alias: reads; folds with one operator; windows that do not meet; a read and a write of the same pieces.

// CHECK-NEXT: dist.launch @look_twice<[2]>(%x: read #dist.none, %x: read #dist.tiling<[4]>)
dist.launch @look_twice<[2]>(%x: read #dist.none, %x: read #halves) : (!dist.store<8xf64>, !dist.store<8xf64>)
// CHECK-NEXT: dist.launch @fold_twice<[2]>(%u: reduce<max> #dist.none, %u: reduce<max> #dist.tiling<[4]>)
dist.launch @fold_twice<[2]>(%u: reduce<max> #dist.none, %u: reduce<max> #halves) : (!dist.store<8xui32>, !dist.store<8xui32>)
// CHECK-NEXT: dist.launch @copy<[1]>(%head: read #dist.none, %tail: write #dist.none)
dist.launch @copy<[1]>(%head: read #dist.none, %tail: write #dist.none) : (!dist.view<4xf64>, !dist.view<4xf64>)
// CHECK-NEXT: dist.launch @copy<[2]>(%x: read #dist.tiling<[4]>, %x: write #dist.tiling<[4] + [-4], (d0) -> (d0 + 1)>)
dist.launch @copy<[2]>(%x: read #halves, %x: write #dist.tiling<[4] + [-4], (d0) -> (d0 + 1)>) : (!dist.store<8xf64>, !dist.store<8xf64>)

// Extents that a kernel takes to be equal are: a clipped tile beside a clipped tile, a window beside a store.

// CHECK-NEXT: dist.launch @copy<[3]>(%x: read #dist.tiling<[3]>, %y: write #dist.tiling<[3]>)
dist.launch @copy<[3]>(%x: read #dist.tiling<[3]>, %y: write #dist.tiling<[3]>) : (!dist.store<8xf64>, !dist.store<8xf64>)
// CHECK-NEXT: dist.launch @copy<[2]>(%tail: read #dist.tiling<[2]>, %y: write #dist.tiling<[2] + [1]>)
dist.launch @copy<[2]>(%tail: read #dist.tiling<[2]>, %y: write #dist.tiling<[2] + [1]>) : (!dist.view<4xf64>, !dist.store<8xf64>)

// Fused tasks

// CHECK-NEXT: dist.fused_task<[2]> temporaries(%z : !dist.store<8xf64>) {
// CHECK-NEXT:   dist.launch @copy<[2]>(%x: read #dist.tiling<[4]>, %z: write #dist.tiling<[4]>)
// CHECK-NEXT:   dist.launch @copy<[2]>(%z: read #dist.tiling<[4]>, %y: write #dist.tiling<[4]>)
// CHECK-NEXT: }
// GENERIC: "dist.fused_task"(%z) <{domain = array<i64: 2>}> ({
dist.fused_task<[2]> temporaries(%z : !dist.store<8xf64>) {
  dist.launch @copy<[2]>(%x: read #halves, %z: write #halves) : (!dist.store<8xf64>, !dist.store<8xf64>)
  dist.launch @copy<[2]>(%z: read #halves, %y: write #halves) : (!dist.store<8xf64>, !dist.store<8xf64>)
}
// CHECK-NEXT: dist.fused_task<[2, 2]> attributes {note} {
dist.fused_task<[2, 2]> attributes {note} {
}
