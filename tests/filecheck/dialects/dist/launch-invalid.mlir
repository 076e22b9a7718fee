// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
//
// What a launch refuses by itself: its place, its domain, its arguments one by one and in pairs, its text. The tasks are opaque: what
// else a task's body demands stands in task-invalid.mlir.

// Where launches stand

func.func private @f()
func.func @g() {
  // expected-error @+1 {{'dist.launch' stands at the top level of the module or in a dist.fused_task}}
  dist.launch @f<[4]>() : ()
  func.return
}

// -----

builtin.module {
  builtin.module {
    func.func private @f()
    // expected-error @+1 {{'dist.launch' stands at the top level of the module or in a dist.fused_task}}
    dist.launch @f<[4]>() : ()
  }
}

// -----

// The launch domain

func.func private @f()
// expected-error @+1 {{an extent of the launch domain is negative}}
dist.launch @f<[4, -1]>() : ()

// -----

func.func private @f()
// expected-error @+1 {{an extent of the launch domain is 2^62 or more}}
dist.launch @f<[4611686018427387904]>() : ()

// -----

func.func private @f()
// expected-error @+1 {{the launch domain has 2^62 points or more}}
dist.launch @f<[2147483648, 2147483648]>() : ()

// -----

func.func private @f()
// expected-error @+1 {{the launch domain has 2^62 points or more}}
"dist.launch"() <{domain = array<i64: 0, 9223372036854775807>, operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = [], task = @f}> : () -> ()

// -----

func.func private @f()
// expected-error @+1 {{'[' expected in launch domain}}
dist.launch @f<4>() : ()

// -----

func.func private @f()
// expected-error @+1 {{Expected integer literal}}
dist.launch @f<[4.5]>() : ()

// -----

func.func private @f()
// expected-error @+1 {{'<' expected}}
dist.launch @f() : ()

// -----

// Arguments

func.func private @f(tensor<?xf64>)
%t = "test.op"() : () -> tensor<8xf64>
// expected-error @+1 {{operand 'arguments' at position 0 does not verify: Unexpected attribute tensor<8xf64>}}
dist.launch @f<[4]>(%t: read #dist.none) : (tensor<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = "test.op"() : () -> !dist.store<8xf64>
// expected-error @+1 {{argument 0 is not made by dist.store or dist.view}}
dist.launch @f<[4]>(%s: read #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8x8xf64>
// expected-error @+1 {{argument 0: a tiling of rank 1 divides an argument of rank 2}}
dist.launch @f<[4]>(%s: read #dist.tiling<[2]>) : (!dist.store<8x8xf64>)

// -----

// It is the view's rank that counts, not the store's.
func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8x8xf64>
%v = dist.view %s (d0) -> (d0, 3) : !dist.store<8x8xf64> -> !dist.view<8xf64>
// expected-error @+1 {{argument 0: a tiling of rank 2 divides an argument of rank 1}}
dist.launch @f<[4, 4]>(%v: read #dist.tiling<[2, 2]>) : (!dist.view<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: the projection takes 1 dimensions, the launch domain has 2}}
dist.launch @f<[2, 2]>(%s: read #dist.tiling<[2]>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: the projection takes 1 dimensions, the launch domain has 0}}
dist.launch @f<[]>(%s: read #dist.tiling<[2]>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: index arithmetic over the launch domain leaves the range ±2^62}}
dist.launch @f<[4]>(%s: read #dist.tiling<[2], (d0) -> (d0 * 1000000000000000000)>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: index arithmetic over the launch domain leaves the range ±2^62}}
dist.launch @f<[4]>(%s: read #dist.tiling<[99999999999999999999]>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: index arithmetic over the launch domain leaves the range ±2^62}}
dist.launch @f<[4]>(%s: read #dist.tiling<[2] + [-4611686018427387904]>) : (!dist.store<8xf64>)

// -----

// One point never takes the step, but machine code holds its length.
func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: index arithmetic over the launch domain leaves the range ±2^62}}
dist.launch @f<[1]>(%s: read #dist.tiling<[2], (d0) -> (d0 * 99999999999999999999)>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{expected a partition}}
dist.launch @f<[4]>(%s: read %s) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{expected a partition}}
dist.launch @f<[4]>(%s: read #dist.privilege<read>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{expected a partition}}
dist.launch @f<[4]>(%s: read) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{Expected ':' before the privilege}}
dist.launch @f<[4]>(%s read #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'reduce', 'write' as a privilege}}
dist.launch @f<[4]>(%s: #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'or', 'xor' as a reduction operator}}
dist.launch @f<[4]>(%s: reduce<sub> #dist.none) : (!dist.store<8xf64>)

// -----

// Operators exist on some element types only.
func.func private @f(tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: there is no 'and' on f64}}
dist.launch @f<[4]>(%s: reduce<and> #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xi1>) -> tensor<?xi1>
%s = dist.store "s" : !dist.store<8xi1>
// expected-error @+1 {{argument 0: there is no 'add' on i1}}
dist.launch @f<[4]>(%s: reduce<add> #dist.none) : (!dist.store<8xi1>)

// -----

// WF-1: what is written through one argument belongs to one point

func.func private @f(tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: 'write' through a partition that is not disjoint over the launch domain (WF-1)}}
dist.launch @f<[4]>(%s: write #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: 'read_write' through a partition that is not disjoint over the launch domain (WF-1)}}
dist.launch @f<[4, 2]>(%s: read_write #dist.tiling<[2], (d0, d1) -> (d0)>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{argument 0: 'write' through a partition that is not disjoint over the launch domain (WF-1)}}
dist.launch @f<[2]>(%s: write #dist.tiling<[2], (d0) -> (1)>) : (!dist.store<8xf64>)

// -----

// Views that repeat elements

func.func private @f(tensor<?x?xf64>) -> tensor<?x?xf64>
%s = dist.store "s" : !dist.store<8xf64>
%v = dist.view %s (d0, d1) -> (d1) : !dist.store<8xf64> -> !dist.view<4x8xf64>
// expected-error @+1 {{argument 0: 'write' through a view that repeats elements}}
dist.launch @f<[4]>(%v: write #dist.tiling<[1, 8], (d0) -> (d0, 0)>) : (!dist.view<4x8xf64>)

// -----

func.func private @f(tensor<?x?xf64>) -> tensor<?x?xf64>
%s = dist.store "s" : !dist.store<8xf64>
%v = dist.view %s (d0, d1) -> (d1) : !dist.store<8xf64> -> !dist.view<4x8xf64>
// expected-error @+1 {{argument 0: 'reduce<add>' through a view that repeats elements}}
dist.launch @f<[4]>(%v: reduce<add> #dist.tiling<[1, 8], (d0) -> (d0, 0)>) : (!dist.view<4x8xf64>)

// -----

// WF-2: arguments on one store

func.func private @f(tensor<?xf64>, tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{arguments 0 and 1: one store is changed through both, as 'write' and 'read_write' (WF-2)}}
dist.launch @f<[4]>(%s: write #dist.tiling<[2]>, %s: read_write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>, tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{arguments 0 and 1: one store is changed through both, as 'reduce<add>' and 'reduce<max>' (WF-2)}}
dist.launch @f<[4]>(%s: reduce<add> #dist.none, %s: reduce<max> #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// A stencil in place: a point reads what its neighbour writes.
func.func private @f(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{arguments 0 and 1: 'read' and 'write' of one store may conflict at different points (WF-2)}}
dist.launch @f<[4]>(%s: read #dist.tiling<[2] + [1]>, %s: write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// The same, hidden behind a view.
func.func private @f(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
%v = dist.view %s (d0) -> (d0 + 1) : !dist.store<8xf64> -> !dist.view<7xf64>
// expected-error @+1 {{arguments 0 and 1: 'read' and 'write' of one store may conflict at different points (WF-2)}}
dist.launch @f<[4]>(%v: read #dist.tiling<[2]>, %s: write #dist.tiling<[2]>) : (!dist.view<7xf64>, !dist.store<8xf64>)

// -----

// A reduction does not go with a read, even of the same pieces.
func.func private @f(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{arguments 0 and 1: 'reduce<max>' and 'read' of one store may conflict at different points (WF-2)}}
dist.launch @f<[4]>(%s: reduce<max> #dist.tiling<[2]>, %s: read #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// The arguments at fault are named, wherever they stand.
func.func private @f(tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
%t = dist.store "t" : !dist.store<8xf64>
// expected-error @+1 {{arguments 1 and 3: 'read' and 'write' of one store may conflict at different points (WF-2)}}
dist.launch @f<[4]>(%s: write #dist.tiling<[2]>, %t: read #dist.none, %s: read #dist.tiling<[2]>, %t: write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>, !dist.store<8xf64>, !dist.store<8xf64>)

// -----

// Scalars

func.func private @f(f64)
%a = arith.constant 1.0 : f64
// expected-error @+1 {{scalar 0 is not made by dist.scalar}}
dist.launch @f<[4]>() scalars(%a) : (f64)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{scalar 0 is not made by dist.scalar}}
dist.launch @f<[4]>() scalars(%s) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%a = dist.scalar "a" : f64
// expected-error @+1 {{operand 'arguments' at position 0 does not verify: Unexpected attribute f64}}
dist.launch @f<[4]>(%a: read #dist.none) : (f64)

// -----

// Text

func.func private @f(tensor<?xf64>, tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{2 arguments and scalars, 1 types: one type for each is needed}}
dist.launch @f<[4]>(%s: read #dist.none, %s: read #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{operand is used with type !dist.store<9xf64>, but has been previously used or defined with type !dist.store<8xf64>}}
dist.launch @f<[4]>(%s: read #dist.none) : (!dist.store<9xf64>)

// -----

// expected-error @+1 {{expect symbol name}}
dist.launch "f"<[4]>() : ()

// -----

func.func private @f()
// expected-error @+1 {{Expected ':'}}
dist.launch @f<[4]>() ()

// -----

// The generic form

func.func private @f(tensor<?xf64>, tensor<?xf64>, tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{3 arguments, 2 privileges and 3 partitions: one of each is needed}}
"dist.launch"(%s, %s, %s) <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 3, 0>, partitions = [#dist.none, #dist.none, #dist.none], privileges = [#dist.privilege<read>, #dist.privilege<read>], task = @f}> : (!dist.store<8xf64>, !dist.store<8xf64>, !dist.store<8xf64>) -> ()

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{1 arguments, 1 privileges and 0 partitions: one of each is needed}}
"dist.launch"(%s) <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 1, 0>, partitions = [], privileges = [#dist.privilege<read>], task = @f}> : (!dist.store<8xf64>) -> ()

// -----

func.func private @f()
// expected-error @+1 {{property 'domain' expected}}
"dist.launch"() <{operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = [], task = @f}> : () -> ()

// -----

func.func private @f()
// expected-error @+1 {{property 'task' expected}}
"dist.launch"() <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = []}> : () -> ()

// -----

func.func private @f()
// expected-error @+1 {{property 'privileges' expected}}
"dist.launch"() <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 0, 0>, partitions = [], task = @f}> : () -> ()

// -----

func.func private @f()
// expected-error @+1 {{property 'partitions' expected}}
"dist.launch"() <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 0, 0>, privileges = [], task = @f}> : () -> ()

// -----

func.func private @f()
// expected-error @+1 {{Expected operandSegmentSizes property}}
"dist.launch"() <{domain = array<i64: 4>, partitions = [], privileges = [], task = @f}> : () -> ()

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{operand count (1) does not match with the total size (2) specified in attribute 'operandSegmentSizes'}}
"dist.launch"(%s) <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 2, 0>, partitions = [#dist.none], privileges = [#dist.privilege<read>], task = @f}> : (!dist.store<8xf64>) -> ()

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{'operandSegmentSizes' attribute cannot have negative elements}}
"dist.launch"(%s) <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 2, -1>, partitions = [#dist.none], privileges = [#dist.privilege<read>], task = @f}> : (!dist.store<8xf64>) -> ()

// -----

func.func private @f()
// expected-error @+1 {{Expected attribute i64 but got i32}}
"dist.launch"() <{domain = array<i32: 4>, operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = [], task = @f}> : () -> ()

// -----

func.func private @f()
// expected-error @+1 {{4 : i64 should be of base attribute array}}
"dist.launch"() <{domain = 4 : i64, operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = [], task = @f}> : () -> ()

// -----

func.func private @f()
// expected-error @+1 {{an extent of the launch domain is negative}}
"dist.launch"() <{domain = array<i64: -4>, operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = [], task = @f}> : () -> ()

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{"read" should be of base attribute dist.privilege}}
"dist.launch"(%s) <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 1, 0>, partitions = [#dist.none], privileges = ["read"], task = @f}> : (!dist.store<8xf64>) -> ()

// -----

func.func private @f(tensor<?xf64>)
%s = dist.store "s" : !dist.store<8xf64>
// expected-error @+1 {{#dist.map<(d0) -> (d0)> should be of attribute subclassing `PartitionAttr`}}
"dist.launch"(%s) <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 1, 0>, partitions = [#dist.map<(d0) -> (d0)>], privileges = [#dist.privilege<read>], task = @f}> : (!dist.store<8xf64>) -> ()

// -----

func.func private @f()
// expected-error @+1 {{"f" should be of base attribute symbol_ref}}
"dist.launch"() <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = [], task = "f"}> : () -> ()

// -----

func.func private @f()
// expected-error @+1 {{Expected SymbolRefAttr with no nested symbols}}
"dist.launch"() <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = [], task = @m::@f}> : () -> ()

// -----

func.func private @f()
// expected-error @+1 {{Expected 0 results, but got 1}}
%r = "dist.launch"() <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = [], task = @f}> : () -> i64

// -----

func.func private @f()
// expected-error @+1 {{Expected 0 regions, but got 1}}
"dist.launch"() <{domain = array<i64: 4>, operandSegmentSizes = array<i32: 0, 0>, partitions = [], privileges = [], task = @f}> ({}) : () -> ()
