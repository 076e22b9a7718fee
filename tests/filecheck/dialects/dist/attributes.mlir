// RUN: fuseir-opt %s | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | fuseir-opt | filecheck %s
//
// Types, index maps, partitions and privileges: what may be written, and what is printed where several spellings mean the same.

// Types

// CHECK: !dist.store<f64>
"test.op"() {type = !dist.store<f64>} : () -> ()
// CHECK: !dist.store<4x8xf32>
"test.op"() {type = !dist.store<4x8xf32>} : () -> ()
// CHECK: !dist.store<0x4611686018427387903xi1>
"test.op"() {type = !dist.store<0x4611686018427387903xi1>} : () -> ()
// CHECK: !dist.view<1x1x1xui64>
"test.op"() {type = !dist.view<1x1x1xui64>} : () -> ()

// CHECK: !dist.store<1xi8>, !dist.store<1xi16>, !dist.store<1xi32>, !dist.store<1xi64>
"test.op"() {types = [!dist.store<1xi8>, !dist.store<1xi16>, !dist.store<1xi32>, !dist.store<1xi64>]} : () -> ()
// CHECK: !dist.store<1xui8>, !dist.store<1xui16>, !dist.store<1xui32>, !dist.store<1xui64>
"test.op"() {types = [!dist.store<1xui8>, !dist.store<1xui16>, !dist.store<1xui32>, !dist.store<1xui64>]} : () -> ()

// Index maps. Dimensions may have any names; they are printed as d0, d1, ...

// CHECK: #dist.map<(d0, d1) -> (d0, d1)>
"test.op"() {identity = #dist.map<(row, column) -> (row, column)>} : () -> ()
// CHECK: #dist.map<(d0, d1) -> (d1, d0)>
"test.op"() {permutation = #dist.map<(row, column) -> (column, row)>} : () -> ()
// CHECK: #dist.map<() -> ()>
"test.op"() {nothing = #dist.map<() -> ()>} : () -> ()
// CHECK: #dist.map<(d0) -> ()>
"test.op"() {dropped = #dist.map<(d0) -> ()>} : () -> ()
// CHECK: #dist.map<(d0) -> (5, -5, 0)>
"test.op"() {constants = #dist.map<(d0) -> (5, -5, -0)>} : () -> ()
// CHECK: #dist.map<(d0) -> (d0 * -1 + 7)>
"test.op"() {reverse = #dist.map<(d0) -> (7 - d0)>} : () -> ()
// CHECK: #dist.map<(d0) -> (d0 * 2 - 1)>
"test.op"() {scale_first = #dist.map<(d0) -> (2 * d0 - 1)>} : () -> ()
// CHECK: #dist.map<(d0) -> (d0 * 3 - 4)>
"test.op"() {sum = #dist.map<(d0) -> (1 + 3 * d0 - 10 + 5)>} : () -> ()
// CHECK: #dist.map<(d0) -> (d0 * 2 + 3)>
"test.op"() {signs = #dist.map<(d0) -> (- -3 - d0 * -2)>} : () -> ()
// CHECK: #dist.map<(d0) -> (4)>
"test.op"() {scale_zero = #dist.map<(d0) -> (d0 * 0 + 4)>} : () -> ()

// Partitions

// CHECK: #dist.none
"test.op"() {partition = #dist.none} : () -> ()
// CHECK: #dist.replicated
"test.op"() {partition = #dist.replicated} : () -> ()
// CHECK: #dist.tiling<[256]>
"test.op"() {partition = #dist.tiling<[256] + [0], (d0) -> (d0)>} : () -> ()
// CHECK: #dist.tiling<[256, 64] + [0, -1]>
"test.op"() {partition = #dist.tiling<[256, 64] + [0, -1]>} : () -> ()
// CHECK: #dist.tiling<[4, 4], (d0) -> (d0, 0)>
"test.op"() {partition = #dist.tiling<[4, 4], (d0) -> (d0, 0)>} : () -> ()
// CHECK: #dist.tiling<[4] + [1], (d0, d1) -> (d1 * -2 + 3)>
"test.op"() {partition = #dist.tiling<[4] + [1], (d0, d1) -> (3 - d1 * 2)>} : () -> ()
// CHECK: #dist.tiling<[2, 2], (d0) -> (d0, d0)>
"test.op"() {partition = #dist.tiling<[2, 2], (d0) -> (d0, d0)>} : () -> ()
// CHECK: #dist.tiling<[]>
"test.op"() {partition = #dist.tiling<[]>} : () -> ()
// CHECK: #dist.tiling<[], (d0) -> ()>
"test.op"() {partition = #dist.tiling<[], (d0) -> ()>} : () -> ()

// Privileges

// CHECK: #dist.privilege<read>, #dist.privilege<write>, #dist.privilege<read_write>, #dist.privilege<no_access>
"test.op"() {all = [#dist.privilege<read>, #dist.privilege<write>, #dist.privilege<read_write>, #dist.privilege<no_access>]} : () -> ()
// CHECK: #dist.privilege<reduce<add>>, #dist.privilege<reduce<mul>>, #dist.privilege<reduce<min>>, #dist.privilege<reduce<max>>
"test.op"() {all = [#dist.privilege<reduce<add>>, #dist.privilege<reduce<mul>>, #dist.privilege<reduce<min>>, #dist.privilege<reduce<max>>]} : () -> ()
// CHECK: #dist.privilege<reduce<and>>, #dist.privilege<reduce<or>>, #dist.privilege<reduce<xor>>
"test.op"() {all = [#dist.privilege<reduce<and>>, #dist.privilege<reduce<or>>, #dist.privilege<reduce<xor>>]} : () -> ()
