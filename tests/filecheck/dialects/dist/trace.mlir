// RUN: fuseir-opt %s | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// Traces and replays of them.

!s = !dist.store<8xf64>
func.func private @look(tensor<?xf64>, tensor<?xf64>, f64) -> tensor<?xf64>

// CHECK: dist.trace @step(%p: !dist.store<8xf64>, %q: !dist.store<8xf64>, %c: f64) {
// CHECK-NEXT: %v = dist.view %p (d0) -> (d0 + 1) : !dist.store<8xf64> -> !dist.view<7xf64>
// CHECK-NEXT: dist.launch @look<[1]>(%v: read #dist.none, %q: write #dist.none) scalars(%c)
// CHECK-NEXT: dist.swap %p, %q : !dist.store<8xf64>
// CHECK-NEXT: dist.fence
// CHECK-NEXT: }
// GENERIC: "dist.trace"() <{sym_name = "step"}> ({
// GENERIC-NEXT: ^{{.*}}(%p: !dist.store<8xf64>, %q: !dist.store<8xf64>, %c: f64):
dist.trace @step(%p: !s, %q: !s, %c: f64) {
  %v = dist.view %p (d0) -> (d0 + 1) : !s -> !dist.view<7xf64>
  dist.launch @look<[1]>(%v: read #dist.none, %q: write #dist.none) scalars(%c) : (!dist.view<7xf64>, !s, f64)
  dist.swap %p, %q : !s
  dist.fence
}
// CHECK: dist.trace @drop(%{{.*}}: !dist.store<8xf64>) attributes {note} {
// CHECK-NEXT: dist.release
dist.trace @drop(%p: !s) attributes {note} {
  dist.release %p : !s
}
// CHECK: dist.trace @nothing() {
dist.trace @nothing() {}

%x = dist.store "x" : !s
%y = dist.store : !s
%a = dist.scalar "a" = 2.0 : f64
// CHECK: dist.replay @step(%x, %y, %a) : (!dist.store<8xf64>, !dist.store<8xf64>, f64)
// GENERIC: "dist.replay"(%x, %y, %a) <{trace = @step}> : (!dist.store<8xf64>, !dist.store<8xf64>, f64) -> ()
dist.replay @step(%x, %y, %a) : (!s, !s, f64)
// The first replay gave both contents.
// CHECK-NEXT: dist.replay @step(%y, %x, %a) {note} : (!dist.store<8xf64>, !dist.store<8xf64>, f64)
dist.replay @step(%y, %x, %a) {note} : (!s, !s, f64)
// CHECK-NEXT: dist.replay @drop(%y)
dist.replay @drop(%y) : (!s)
// CHECK-NEXT: dist.replay @nothing() : ()
dist.replay @nothing() : ()
