// RUN: fuseir-opt %s -p lower-kernels --split-input-file --expected-diagnostics

// Undefined contents would be read.
#id = affine_map<(d0) -> (d0)>
func.func @reads(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["no_access", "write"]} {
  // expected-error@+1 {{reads the contents of its no_access argument 0}}
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %u: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

// -----

// Where a result goes is not said and cannot be seen.
// expected-error@+1 {{which parameter result 0 belongs to cannot be inferred; say so with the attribute 'dist.privileges'}}
func.func @home(%x: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf64>
  %e = tensor.empty(%n) : tensor<?xf64>
  %f = linalg.fill ins(%a : f64) outs(%e : tensor<?xf64>) -> tensor<?xf64>
  func.return %f : tensor<?xf64>
}

// -----

// expected-error@+1 {{'dist.privileges' is for 1 tensors and 0 results, the kernel has 1 and 1}}
func.func @count(%x: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read"]} {
  func.return %x : tensor<?xf64>
}
