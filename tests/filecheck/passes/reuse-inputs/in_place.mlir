// RUN: fuseir-opt %s -p reuse-inputs --verify-each --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p reuse-inputs --remarks-filter=reuse-inputs --split-input-file 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// "x" is an input only, and released behind its last reader: what is written takes its memory, and %z has it from then on.
!s = !dist.store<16384xf64>
#t = #dist.tiling<[4096]>
#id = affine_map<(d0) -> (d0)>
func.func @double(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    %s = arith.addf %a, %a : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" {dist.input_only} : !s
%y = dist.store : !s
%z = dist.store "z" : !s
dist.launch @double<[4]>(%x: read #t, %y: write #t) : (!s, !s)
dist.release %x : !s
dist.launch @double<[4]>(%y: read #t, %z: write #t) : (!s, !s)
dist.release %y : !s

// CHECK:      func.func @double(%x: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read_write"]}
// CHECK-NEXT:   %r = linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%x : tensor<?xf64>)
// CHECK:        func.return %r
// CHECK:      func.func @double_in_place_0(%x: tensor<?xf64>) -> tensor<?xf64>
// CHECK:      dist.launch @double_in_place_0<[4]>(%x: read_write #{{.*}}) : (!dist.store<16384xf64>)
// CHECK-NEXT: dist.swap %x, %y
// CHECK-NEXT: dist.release %x
// CHECK-NEXT: dist.launch @double<[4]>(%y: read_write #{{.*}}) : (!dist.store<16384xf64>)
// CHECK-NEXT: dist.swap %y, %z
// CHECK-NEXT: dist.release %y
// REMARK:      [passed] reuse-inputs: store %y takes the memory of "x", which nobody needs any more [FIR-N141]
// REMARK:      [passed] reuse-inputs: store "z" takes the memory of %y

// -----

// Two results, two inputs; results stay in the order of the parameters whose new contents they are.
!s = !dist.store<16384xf64>
#t = #dist.tiling<[4096]>
#id = affine_map<(d0) -> (d0)>
func.func @both(%a: tensor<?xf64>, %p: tensor<?xf64>, %b: tensor<?xf64>, %q: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
    attributes {dist.privileges = ["read", "write", "read", "write"]} {
  %r, %s = linalg.generic {indexing_maps = [#id, #id, #id, #id], iterator_types = ["parallel"]}
      ins(%a, %b : tensor<?xf64>, tensor<?xf64>) outs(%p, %q : tensor<?xf64>, tensor<?xf64>) {
  ^bb0(%x: f64, %y: f64, %u: f64, %v: f64):
    %sum = arith.addf %x, %y : f64
    %product = arith.mulf %x, %y : f64
    linalg.yield %sum, %product : f64, f64
  } -> (tensor<?xf64>, tensor<?xf64>)
  func.return %r, %s : tensor<?xf64>, tensor<?xf64>
}
%a = dist.store "a" {dist.input_only} : !s
%b = dist.store "b" {dist.input_only} : !s
%p = dist.store "p" : !s
%q = dist.store "q" : !s
dist.launch @both<[4]>(%a: read #t, %p: write #t, %b: read #t, %q: write #t) : (!s, !s, !s, !s)
dist.release %a : !s
dist.release %b : !s

// CHECK:      func.func @both(%a: tensor<?xf64>, %b: tensor<?xf64>)
// CHECK-SAME: dist.privileges = ["read_write", "read_write"]
// CHECK:        func.return %r, %s
// CHECK:      dist.launch @both<[4]>(%a: read_write #{{.*}}, %b: read_write #{{.*}})
// CHECK-NEXT: dist.swap %b, %q
// CHECK-NEXT: dist.swap %a, %p
