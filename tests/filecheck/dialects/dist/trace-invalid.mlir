// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
//
// What traces and replays refuse.

// Where they stand, and what stands in them

func.func @f() {
  // expected-error @+1 {{'dist.trace' stands at the top level of the module only}}
  dist.trace @t() {}
  func.return
}

// -----

dist.trace @t() {}
func.func @f() {
  // expected-error @+1 {{'dist.replay' stands at the top level of the module only}}
  dist.replay @t() : ()
  func.return
}

// -----

// expected-error @+1 {{a trace holds launches, views, releases, swaps and fences, not 'test.op'}}
dist.trace @t() {
  "test.op"() : () -> ()
}

// -----

dist.trace @t() {
  // expected-error @+1 {{'dist.store' stands at the top level of the module only}}
  %s = dist.store : !dist.store<8xf64>
}

// -----

dist.trace @u() {}
dist.trace @t() {
  // expected-error @+1 {{'dist.replay' stands at the top level of the module only}}
  dist.replay @u() : ()
}

// -----

// expected-error @+1 {{parameter 1 is neither a store nor a scalar: it has type !dist.view<8xf64>}}
dist.trace @t(%p: !dist.store<8xf64>, %v: !dist.view<8xf64>) {}

// -----

// expected-error @+1 {{parameter 0 is neither a store nor a scalar: it has type ui8}}
dist.trace @t(%p: ui8) {}

// -----

%x = dist.store "x" : !dist.store<8xf64>
// expected-error @+1 {{IsolatedFromAbove}}
dist.trace @t() {
  dist.release %x : !dist.store<8xf64>
}

// -----

dist.trace @t() {}
// expected-error @+1 {{Redefinition of symbol "t"}}
dist.trace @t() {}

// -----

// What launches in a trace refuse: as anywhere

dist.trace @t(%p: !dist.store<8xf64>) {
  // expected-error @+1 {{unknown task '@f'}}
  dist.launch @f<[1]>(%p: read #dist.none) : (!dist.store<8xf64>)
}

// -----

func.func private @f(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
dist.trace @t(%p: !dist.store<8xf64>) {
  // expected-error @+1 {{(WF-2)}}
  dist.launch @f<[4]>(%p: read #dist.none, %p: write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)
}

// -----

dist.trace @t(%p: !dist.store<8xf64>, %a: f64) {
  // expected-error @+1 {{argument 0 is not made by dist.store or dist.view}}
  "dist.launch"(%v) <{task = @f, domain = array<i64: 1>, privileges = [#dist.privilege<read>], partitions = [#dist.none], operandSegmentSizes = array<i32: 1, 0>}> : (!dist.view<8xf64>) -> ()
  %v = "test.op"() : () -> !dist.view<8xf64>
}

// -----

// What a replay is given

// expected-error @+1 {{'@t' is no trace}}
dist.replay @t() : ()

// -----

func.func private @t()
// expected-error @+1 {{'@t' is no trace}}
dist.replay @t() : ()

// -----

dist.trace @t(%p: !dist.store<8xf64>, %a: f64) {}
%x = dist.store "x" : !dist.store<8xf64>
// expected-error @+1 {{'@t' takes (!dist.store<8xf64>, f64)}}
dist.replay @t(%x) : (!dist.store<8xf64>)

// -----

dist.trace @t(%p: !dist.store<8xf64>) {}
%x = dist.store "x" : !dist.store<9xf64>
// expected-error @+1 {{'@t' takes (!dist.store<8xf64>)}}
dist.replay @t(%x) : (!dist.store<9xf64>)

// -----

dist.trace @t(%p: !dist.store<8xf64>, %q: !dist.store<8xf64>) {}
%x = dist.store "x" : !dist.store<8xf64>
// expected-error @+1 {{argument 1: the store is an argument already}}
dist.replay @t(%x, %x) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

%x = dist.store "x" : !dist.store<8xf64>
%v = dist.view %x (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<8xf64>
// expected-error @+1 {{argument 0 is not made by dist.store or dist.scalar}}
dist.replay @t(%v) : (!dist.view<8xf64>)

// -----

%x = dist.store "x" : !dist.store<8xf64>
// expected-error @+1 {{1 arguments, 0 types: one type for each is needed}}
dist.replay @t(%x) : ()

// -----

// What a replay does

dist.trace @t(%p: !dist.store<8xf64>) {
  dist.release %p : !dist.store<8xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
dist.replay @t(%x) : (!dist.store<8xf64>)
// expected-error @+1 {{in '@t', 'dist.release': the store was released before}}
dist.replay @t(%x) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
dist.trace @t(%p: !dist.store<8xf64>) {
  dist.launch @f<[1]>(%p: read #dist.none) : (!dist.store<8xf64>)
}
%x = dist.store : !dist.store<8xf64>
// expected-error @+1 {{in '@t', 'dist.launch': argument 0: 'read' of an unnamed store that nothing was written to}}
dist.replay @t(%x) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>)
dist.trace @t(%p: !dist.store<8xf64>, %q: !dist.store<8xf64>) {
  dist.swap %p, %q : !dist.store<8xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
dist.replay @t(%x, %y) : (!dist.store<8xf64>, !dist.store<8xf64>)
// expected-error @+1 {{'read' of a store that was left without contents by 'dist.swap'}}
dist.launch @f<[1]>(%x: read #dist.none) : (!dist.store<8xf64>)

// -----

dist.trace @t(%p: !dist.store<8xf64>) {
  dist.release %p : !dist.store<8xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
dist.replay @t(%x) : (!dist.store<8xf64>)
// expected-error @+1 {{the store was released before}}
dist.release %x : !dist.store<8xf64>
