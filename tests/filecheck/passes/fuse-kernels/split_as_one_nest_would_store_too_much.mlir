// RUN: fuseir-opt %s -p 'fuse-kernels{max-results=2}' --remarks-filter=FIR-N132 --verify-diagnostics=expected | filecheck %s
// RUN: fuseir-opt %s -p fuse-kernels | filecheck %s --check-prefix=WHOLE

// Of three results, two are stored by one nest; the third needs another one. What is only read by others, %t, does not count.
#id = affine_map<(d0) -> (d0)>
// expected-remark @+1 {{kernel '@three': 1 loop nests found no room in one that stores 2 tensors; there are 2 loop nests [FIR-N132]}}
func.func @three(%x: tensor<?xf64>, %a: tensor<?xf64>, %b: tensor<?xf64>, %c: tensor<?xf64>, %u: tensor<?xf64>)
    -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) attributes {dist.privileges = ["read", "write", "write", "write", "no_access"]} {
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%u : tensor<?xf64>) {
  ^bb0(%e: f64, %o: f64):
    %0 = math.sqrt %e : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%t : tensor<?xf64>) outs(%a : tensor<?xf64>) {
  ^bb0(%e: f64, %o: f64):
    %0 = arith.addf %e, %e : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%t : tensor<?xf64>) outs(%b : tensor<?xf64>) {
  ^bb0(%e: f64, %o: f64):
    %0 = arith.mulf %e, %e : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%c : tensor<?xf64>) {
  ^bb0(%e: f64, %o: f64):
    %0 = arith.negf %e : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %p, %q, %r : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}

// CHECK-LABEL: @three
// CHECK: %p, %q = linalg.generic
// CHECK-SAME: outs(%a, %b :
// CHECK: linalg.generic
// CHECK-SAME: outs(%c :
// CHECK-NOT: linalg.generic

// WHOLE-LABEL: @three
// WHOLE: linalg.generic
// WHOLE-SAME: outs(%a, %b, %c :
// WHOLE-NOT: linalg.generic
