// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
//
// What spans a program: names, lifetimes, definedness; and fused tasks.

// Names

%x = dist.store "x" : !dist.store<8xf64>
// expected-error @+1 {{the name "x" is taken by an earlier store or scalar}}
%y = dist.store "x" : !dist.store<4xi32>

// -----

%x = dist.store "x" : !dist.store<8xf64>
// expected-error @+1 {{the name "x" is taken by an earlier store or scalar}}
%a = dist.scalar "x" : f64

// -----

func.func private @f()
// expected-error @+1 {{Redefinition of symbol "f"}}
func.func private @f()

// -----

// Order

func.func private @f(tensor<?xf64>)
// expected-error @+1 {{uses %x before its definition}}
dist.launch @f<[4]>(%x: read #dist.none) : (!dist.store<8xf64>)
%x = dist.store "x" : !dist.store<8xf64>

// -----

func.func private @f(tensor<?xf64>)
%x = dist.store "x" : !dist.store<8xf64>
// expected-error @+1 {{uses %v before its definition}}
dist.launch @f<[4]>(%v: read #dist.none) : (!dist.view<8xf64>)
%v = dist.view %x (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<8xf64>

// -----

// Where the late view is wrong too, its first user is the place of the error all the same.
func.func private @f(tensor<?xf64>)
%x = dist.store "x" : !dist.store<8xf64>
// expected-error @+1 {{'dist.launch' does not verify}}
dist.launch @f<[4]>(%v: read #dist.none) : (!dist.view<8xf64>)
%v = "dist.view"(%x) : (!dist.store<8xf64>) -> !dist.view<8xf64>

// -----

// Lifetimes

%x = dist.store "x" : !dist.store<8xf64>
dist.release %x : !dist.store<8xf64>
// expected-error @+1 {{the store was released before}}
dist.release %x : !dist.store<8xf64>

// -----

%x = dist.store "x" : !dist.store<8xf64>
dist.release %x : !dist.store<8xf64>
// expected-error @+1 {{the store was released before}}
%v = dist.view %x (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<8xf64>

// -----

func.func private @f(tensor<?xf64>)
%x = dist.store "x" : !dist.store<8xf64>
dist.release %x : !dist.store<8xf64>
// expected-error @+1 {{the store was released before}}
dist.launch @f<[4]>(%x: read #dist.none) : (!dist.store<8xf64>)

// -----

// A release ends views of the store with it, and no access is too slight.
func.func private @f(tensor<?xf64>)
%x = dist.store "x" : !dist.store<8xf64>
%v = dist.view %x (d0) -> (d0 + 1) : !dist.store<8xf64> -> !dist.view<7xf64>
dist.release %x : !dist.store<8xf64>
// expected-error @+1 {{the store was released before}}
dist.launch @f<[4]>(%v: no_access #dist.none) : (!dist.view<7xf64>)

// -----

// Definedness

func.func private @f(tensor<?xf64>)
%z = dist.store : !dist.store<8xf64>
// expected-error @+1 {{argument 0: 'read' of an unnamed store that nothing was written to}}
dist.launch @f<[4]>(%z: read #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>) -> tensor<?xf64>
%z = dist.store : !dist.store<8xf64>
// expected-error @+1 {{argument 0: 'read_write' of an unnamed store that nothing was written to}}
dist.launch @f<[4]>(%z: read_write #dist.tiling<[2]>) : (!dist.store<8xf64>)

// -----

func.func private @f(tensor<?xf64>) -> tensor<?xf64>
%z = dist.store : !dist.store<8xf64>
// expected-error @+1 {{argument 0: 'reduce<add>' of an unnamed store that nothing was written to}}
dist.launch @f<[4]>(%z: reduce<add> #dist.none) : (!dist.store<8xf64>)

// -----

// What a launch writes is there for the next one, not for itself.
func.func private @f(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
%z = dist.store : !dist.store<8xf64>
// expected-error @+1 {{argument 1: 'read' of an unnamed store that nothing was written to}}
dist.launch @f<[4]>(%z: write #dist.tiling<[2]>, %z: read #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// Fused tasks

func.func @f() {
  func.return
}
dist.fused_task<[4]> {
  // expected-error @+1 {{'dist.fused_task' stands at the top level of the module only}}
  dist.fused_task<[4]> {
    dist.launch @f<[4]>() : ()
  }
}

// -----

// expected-error @+1 {{a fused task holds launches only, not 'test.op'}}
dist.fused_task<[4]> {
  "test.op"() : () -> ()
}

// -----

func.func @f() {
  func.return
}
// expected-error @+1 {{member '@f' has launch domain [2, 2], the fused task [4]}}
dist.fused_task<[4]> {
  dist.launch @f<[4]>() : ()
  dist.launch @f<[2, 2]>() : ()
}

// -----

func.func private @f()
dist.fused_task<[4]> {
  // expected-error @+1 {{opaque task '@f' cannot be fused}}
  dist.launch @f<[4]>() : ()
}

// -----

dist.fused_task<[4]> {
  // expected-error @+1 {{unknown task '@f'}}
  dist.launch @f<[4]>() : ()
}

// -----

// expected-error @+1 {{an extent of the launch domain is negative}}
dist.fused_task<[-4]> {
}

// -----

// expected-error @+1 {{a fused task's body takes no arguments}}
"dist.fused_task"() <{domain = array<i64: 4>}> ({
^bb0(%p: index):
}) : () -> ()

// -----

// expected-error @+1 {{expected a single block, but got 2 blocks}}
dist.fused_task<[4]> {
^bb0:
  "test.termop"() [^bb1] : () -> ()
^bb1:
  "test.termop"() : () -> ()
}

// -----

// expected-error @+1 {{Expected 1 region, but got 0}}
"dist.fused_task"() <{domain = array<i64: 4>}> : () -> ()

// -----

// expected-error @+1 {{property 'domain' expected}}
"dist.fused_task"() ({
^bb0:
}) : () -> ()

// -----

// expected-error @+1 {{expected a single block, but got 0 blocks}}
"dist.fused_task"() <{domain = array<i64: 4>}> ({
}) : () -> ()

// -----

%z = dist.store : !dist.store<8xf64>
// expected-error @+1 {{temporary 0 is used by no member}}
dist.fused_task<[4]> temporaries(%z : !dist.store<8xf64>) {
}

// -----

#all = #dist.tiling<[2]>
func.func @shape(%x: tensor<?xf64>) {
  func.return
}
// A named store is the program's to show.
%z = dist.store "z" : !dist.store<8xf64>
// expected-error @+1 {{temporary 0 is not made by a dist.store without a name}}
dist.fused_task<[4]> temporaries(%z : !dist.store<8xf64>) {
  dist.launch @shape<[4]>(%z: no_access #all) : (!dist.store<8xf64>)
}

// -----

func.func @shape(%x: tensor<?xf64>) {
  func.return
}
%z = dist.store : !dist.store<8xf64>
// expected-error @+1 {{a store is listed as a temporary twice}}
dist.fused_task<[4]> temporaries(%z : !dist.store<8xf64>, %z : !dist.store<8xf64>) {
  dist.launch @shape<[4]>(%z: no_access #dist.none) : (!dist.store<8xf64>)
}

// -----

%z = dist.store "z" : !dist.store<8xf64>
%v = dist.view %z (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<8xf64>
// expected-error @+1 {{!dist.view<8xf64> should be of base attribute dist.store}}
dist.fused_task<[4]> temporaries(%v : !dist.view<8xf64>) {
}

// -----

%a = dist.scalar "a" : f64
// expected-error @+1 {{f64 should be of base attribute dist.store}}
dist.fused_task<[4]> temporaries(%a : f64) {
}

// -----

// A temporary holds nothing after its fused task...
func.func @fill(%x: tensor<?xf64>) -> tensor<?xf64> {
  %zero = arith.constant 0.0 : f64
  %r = linalg.fill ins(%zero : f64) outs(%x : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @look(tensor<?xf64>)
%z = dist.store : !dist.store<8xf64>
dist.fused_task<[4]> temporaries(%z : !dist.store<8xf64>) {
  dist.launch @fill<[4]>(%z: write #dist.tiling<[2]>) : (!dist.store<8xf64>)
}
// expected-error @+1 {{argument 0: 'read' of an unnamed store that nothing was written to}}
dist.launch @look<[4]>(%z: read #dist.none) : (!dist.store<8xf64>)

// -----

// ... nor does it hold there what was in it before.
func.func @fill(%x: tensor<?xf64>) -> tensor<?xf64> {
  %zero = arith.constant 0.0 : f64
  %r = linalg.fill ins(%zero : f64) outs(%x : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @look(%x: tensor<?xf64>) {
  func.return
}
%z = dist.store : !dist.store<8xf64>
dist.launch @fill<[4]>(%z: write #dist.tiling<[2]>) : (!dist.store<8xf64>)
dist.fused_task<[4]> temporaries(%z : !dist.store<8xf64>) {
  // expected-error @+1 {{argument 0: 'read' of an unnamed store that nothing was written to}}
  dist.launch @look<[4]>(%z: read #dist.tiling<[2]>) : (!dist.store<8xf64>)
}

// -----

// Members obey the rules of all launches.
func.func @fill(%x: tensor<?xf64>) -> tensor<?xf64> {
  %zero = arith.constant 0.0 : f64
  %r = linalg.fill ins(%zero : f64) outs(%x : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
dist.fused_task<[4]> {
  // expected-error @+1 {{argument 0: 'write' through a partition that is not disjoint over the launch domain (WF-1)}}
  dist.launch @fill<[4]>(%x: write #dist.none) : (!dist.store<8xf64>)
}
