// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
//
// What swaps refuse.

// Where it stands

%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
"test.op"() ({
  // expected-error @+1 {{'dist.swap' stands at the top level of the module or of a dist.trace only}}
  "dist.swap"(%x, %y) : (!dist.store<8xf64>, !dist.store<8xf64>) -> ()
  "test.termop"() : () -> ()
}) : () -> ()

// -----

// Which stores

%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
// expected-error @+1 {{a store is swapped with itself}}
dist.swap %x, %x : !dist.store<8xf64>

// -----

%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
%z = dist.store : !dist.store<9xf64>
// expected-error @+1 {{operand is used with type !dist.store<8xf64>, but has been previously used or defined with type !dist.store<9xf64>}}
dist.swap %x, %z : !dist.store<8xf64>

// -----

%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
%z = dist.store : !dist.store<9xf64>
// expected-error @+1 {{!dist.store<8xf64> expected from variable 'T', but got !dist.store<9xf64>}}
"dist.swap"(%x, %z) : (!dist.store<8xf64>, !dist.store<9xf64>) -> ()

// -----

%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
%v = dist.view %x (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<8xf64>
%w = dist.view %y (d0) -> (d0) : !dist.store<8xf64> -> !dist.view<8xf64>
// expected-error @+1 {{!dist.view<8xf64> should be of base attribute dist.store}}
"dist.swap"(%v, %w) : (!dist.view<8xf64>, !dist.view<8xf64>) -> ()

// -----

%x = dist.store "x" : !dist.store<8xf64>
%o = "test.op"() : () -> !dist.store<8xf64>
// expected-error @+1 {{the store is not made by dist.store}}
dist.swap %x, %o : !dist.store<8xf64>

// -----

// Lifetimes and contents

%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
dist.release %y : !dist.store<8xf64>
// expected-error @+1 {{the store was released before}}
dist.swap %x, %y : !dist.store<8xf64>

// -----

func.func private @use(tensor<?xf64>)
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
dist.swap %x, %y : !dist.store<8xf64>
// expected-error @+1 {{argument 0: 'read' of a store that was left without contents by 'dist.swap'}}
dist.launch @use<[1]>(%x: read #dist.none) : (!dist.store<8xf64>)

// -----

func.func private @use(tensor<?xf64>)
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
%z = dist.store : !dist.store<8xf64>
dist.swap %y, %z : !dist.store<8xf64>
// expected-error @+1 {{argument 0: 'read' of an unnamed store that nothing was written to}}
dist.launch @use<[1]>(%y: read #dist.none) : (!dist.store<8xf64>)
