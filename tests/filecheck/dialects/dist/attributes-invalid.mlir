// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
//
// What index maps, types, partitions and privileges refuse, each as it is parsed.

// Index maps

// expected-error @+1 {{a dimension of the index map is named twice}}
"test.op"() {map = #dist.map<(d0, d0) -> (d0)>} : () -> ()

// -----

// expected-error @+1 {{'d1' is not a dimension of this index map}}
"test.op"() {map = #dist.map<(d0) -> (d1)>} : () -> ()

// -----

// expected-error @+1 {{a result of an index map uses one dimension at most}}
"test.op"() {map = #dist.map<(d0, d1) -> (d0 + d1)>} : () -> ()

// -----

// expected-error @+1 {{a result of an index map uses one dimension at most}}
"test.op"() {map = #dist.map<(d0) -> (d0 - d0)>} : () -> ()

// -----

// expected-error @+1 {{dimension or integer expected in index map}}
"test.op"() {map = #dist.map<(d0) -> ("d0")>} : () -> ()

// -----

// expected-error @+1 {{identifier expected after '*' in index map}}
"test.op"() {map = #dist.map<(d0) -> (2 * 3)>} : () -> ()

// -----

// expected-error @+1 {{Expected integer literal}}
"test.op"() {map = #dist.map<(d0, d1) -> (d0 * d1)>} : () -> ()

// -----

// expected-error @+1 {{Expected '->' in index map}}
"test.op"() {map = #dist.map<(d0)>} : () -> ()

// -----

// expected-error @+1 {{'(' expected in index map}}
"test.op"() {map = #dist.map<d0 -> (d0)>} : () -> ()

// -----

// expected-error @+1 {{'(' expected}}
"test.op"() {map = #dist.map<(d0) -> d0>} : () -> ()

// -----

// expected-error @+1 {{'>' expected}}
"test.op"() {map = #dist.map<(d0) -> (d0), (d0)>} : () -> ()

// -----

// expected-error @+1 {{'<' expected}}
"test.op"() {map = #dist.map} : () -> ()

// -----

// expected-error @+1 {{expression of more than 64 operators}}
"test.op"() {map = #dist.map<(d0) -> (1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1)>} : () -> ()

// -----

// Types

// expected-error @+1 {{extents of stores and views are static}}
%s = dist.store : !dist.store<4x?xf64>

// -----

// expected-error @+1 {{dist.store has 2^62 elements or more}}
%s = dist.store : !dist.store<4611686018427387904xi8>

// -----

// The product counts, not the extents alone.
// expected-error @+1 {{dist.store has 2^62 elements or more}}
%s = dist.store : !dist.store<2147483648x2147483648xi8>

// -----

// An extent of 0 does not hide the others: strides would not fit.
// expected-error @+1 {{dist.store has 2^62 elements or more}}
%s = dist.store : !dist.store<0x4611686018427387904xi8>

// -----

// expected-error @+1 {{dist.view has 2^62 elements or more}}
"test.op"() {type = !dist.view<99999999999999999999xi8>} : () -> ()

// -----

// expected-error @+1 {{integer literal of 21 digits (limit 20)}}
%s = dist.store : !dist.store<111111111111111111111xi8>

// -----

// expected-error @+1 {{f16 cannot be stored: expected i1, i8…i64, ui8…ui64, f32 or f64}}
%s = dist.store : !dist.store<4xf16>

// -----

// expected-error @+1 {{si8 cannot be stored}}
%s = dist.store : !dist.store<4xsi8>

// -----

// expected-error @+1 {{ui1 cannot be stored}}
%s = dist.store : !dist.store<4xui1>

// -----

// expected-error @+1 {{i7 cannot be stored}}
%s = dist.store : !dist.store<4xi7>

// -----

// expected-error @+1 {{index cannot be stored}}
%s = dist.store : !dist.store<4xindex>

// -----

// expected-error @+1 {{tensor<4xf64> cannot be stored}}
%s = dist.store : !dist.store<4xtensor<4xf64>>

// -----

// expected-error @+1 {{!dist.store<2xf64> cannot be stored}}
%s = dist.store : !dist.store<4x!dist.store<2xf64>>

// -----

// expected-error @+1 {{Expected shape type}}
%s = dist.store : !dist.store<-4xf64>

// -----

// expected-error @+1 {{Expected 'x' in shape delimiter}}
%s = dist.store : !dist.store<4x8>

// -----

// expected-error @+1 {{'<' expected}}
"test.op"() {type = !dist.store} : () -> ()

// -----

// expected-error @+1 {{Expected shape type}}
%s = dist.store : !dist.store<*xf64>

// -----

// expected-error @+1 {{'dist.no_such_type' is not registered}}
%s = dist.store : !dist.no_such_type<4xf64>

// -----

// Partitions

// expected-error @+1 {{a tile's extents are at least 1}}
"test.op"() {partition = #dist.tiling<[4, 0]>} : () -> ()

// -----

// expected-error @+1 {{a tile's extents are at least 1}}
"test.op"() {partition = #dist.tiling<[-4]>} : () -> ()

// -----

// expected-error @+1 {{tile, offset and projection have 2, 1 and 2 entries: one for each dimension of the argument is needed}}
"test.op"() {partition = #dist.tiling<[4, 4] + [0]>} : () -> ()

// -----

// expected-error @+1 {{tile, offset and projection have 1, 1 and 2 entries}}
"test.op"() {partition = #dist.tiling<[4], (d0) -> (d0, d0)>} : () -> ()

// -----

// expected-error @+1 {{'[' expected in tiling}}
"test.op"() {partition = #dist.tiling<4>} : () -> ()

// -----

// expected-error @+1 {{Expected integer literal}}
"test.op"() {partition = #dist.tiling<[4.0]>} : () -> ()

// -----

// expected-error @+1 {{Expected integer literal}}
"test.op"() {partition = #dist.tiling<[true]>} : () -> ()

// -----

// expected-error @+1 {{'[' expected in tiling}}
"test.op"() {partition = #dist.tiling<[4] + 1>} : () -> ()

// -----

// expected-error @+1 {{'(' expected in index map}}
"test.op"() {partition = #dist.tiling<[4], [0]>} : () -> ()

// -----

// expected-error @+1 {{'<' expected}}
"test.op"() {partition = #dist.tiling} : () -> ()

// -----

// expected-error @+1 {{'dist.blocks' is not registered}}
"test.op"() {partition = #dist.blocks<[4]>} : () -> ()

// -----

// Privileges

// expected-error @+1 {{Expected one of 'no_access', 'read', 'read_write', 'reduce', 'write' as a privilege}}
"test.op"() {privilege = #dist.privilege<readwrite>} : () -> ()

// -----

// expected-error @+1 {{'<' expected}}
"test.op"() {privilege = #dist.privilege<reduce>} : () -> ()

// -----

// expected-error @+1 {{Expected one of 'add', 'and', 'max', 'min', 'mul', 'or', 'xor' as a reduction operator}}
"test.op"() {privilege = #dist.privilege<reduce<sub>>} : () -> ()

// -----

// expected-error @+1 {{'>' expected}}
"test.op"() {privilege = #dist.privilege<read<add>>} : () -> ()
