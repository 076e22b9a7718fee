// RUN: fuseir-opt %s | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// Two stores exchange their contents, and whether they have any.

func.func private @use(tensor<?xf64>)
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store : !dist.store<8xf64>
// CHECK: dist.swap %x, %y : !dist.store<8xf64>
// GENERIC: "dist.swap"(%x, %y) : (!dist.store<8xf64>, !dist.store<8xf64>) -> ()
dist.swap %x, %y : !dist.store<8xf64>
// Now %y has contents and %x has none.
// CHECK-NEXT: dist.launch @use<[1]>(%y: read #dist.none)
dist.launch @use<[1]>(%y: read #dist.none) : (!dist.store<8xf64>)
// CHECK-NEXT: dist.swap %y, %x {note} : !dist.store<8xf64>
dist.swap %y, %x {note} : !dist.store<8xf64>
// CHECK-NEXT: dist.launch @use<[1]>(%x: read #dist.none)
dist.launch @use<[1]>(%x: read #dist.none) : (!dist.store<8xf64>)
dist.release %y : !dist.store<8xf64>
