// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
//
// The kernel contract (docs/kernels.md, section 1), rule by rule, as a launch finds it broken. The place of an error is the operation in
// the kernel. Which privileges allow what is in dialects/dist/task-invalid.mlir.

// The body

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@f' has operation 'test.op', which is not allowed in a kernel}}
  "test.op"() : () -> ()
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// expected-error @+1 {{kernel '@f' has more than one block}}
func.func @f() {
  cf.br ^bb1
^bb1:
  func.return
}
dist.launch @f<[1]>() : ()

// -----

func.func @f() {
  // expected-error @+1 {{terminates block in single-block region but is not a terminator}}
  %c = arith.constant 0.0 : f64
}
dist.launch @f<[1]>() : ()

// -----

func.func @f(%x: tensor<?xf64>) {
  // expected-error @+1 {{uses %c before its definition}}
  %z = linalg.fill ins(%c : f64) outs(%y : tensor<?xf64>) -> tensor<?xf64>
  %c = arith.constant 0.0 : f64
  %y = tensor.empty() : tensor<?xf64>
  func.return
}
%x = dist.store "x" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none) : (!dist.store<8xf64>)

// -----

// Scalars at the top level

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@f' has a tensor of type tensor<2xf64>: all extents are dynamic}}
  %c = arith.constant dense<1.0> : tensor<2xf64>
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@f' has a constant of type f16; constants are scalars}}
  %c = arith.constant 1.0 : f16
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// An operation means one thing only: flags permit the compiler others.
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 1.0 : f64
  // expected-error @+1 {{kernel '@f' has a flag 'fastmath' on 'arith.addf': operations mean one thing only}}
  %d = arith.addf %c, %c fastmath<fast> : f64
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 1 : i64
  // expected-error @+1 {{kernel '@f' has a flag 'overflowFlags' on 'arith.addi': operations mean one thing only}}
  %d = arith.addi %c, %c overflow<nsw> : i64
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 1 : index
  // expected-error @+1 {{kernel '@f' has operation 'arith.addi', which is not allowed in a kernel}}
  %d = arith.addi %c, %c : index
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// Shapes

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 1 : index
  // expected-error @+1 {{kernel '@f' asks for dimension 1 of a tensor<?xf64>}}
  %n = tensor.dim %x, %c : tensor<?xf64>
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 0 : index
  %n = tensor.dim %x, %c : tensor<?xf64>
  // expected-error @+1 {{kernel '@f' has a 'tensor.dim' whose dimension is no constant}}
  %m = tensor.dim %x, %n : tensor<?xf64>
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 4 : index
  // expected-error @+1 {{kernel '@f' has an extent that is no 'tensor.dim': all extents come from parameters}}
  %e = tensor.empty(%c) : tensor<?xf64>
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@f' has a tensor of type tensor<4xf64>: all extents are dynamic}}
  %e = tensor.empty() : tensor<4xf64>
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@f' has a 'tensor.empty' of tensor<?xf64> with 0 extents}}
  %e = tensor.empty() : tensor<?xf64>
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 0 : index
  %n = tensor.dim %x, %c : tensor<?xf64>
  // expected-error @+1 {{kernel '@f' has a tensor of f16; elements are i1, i8…i64, f32 or f64}}
  %e = tensor.empty(%n) : tensor<?xf16>
  func.return %y : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// Nobody wrote to it.
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 0 : index
  %n = tensor.dim %x, %c : tensor<?xf64>
  %e = tensor.empty(%n) : tensor<?xf64>
  // expected-error @+1 {{kernel '@f' returns a 'tensor.empty' unwritten, as argument 1}}
  func.return %e : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// Fills

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 0.0 : f32
  // expected-error @+1 {{kernel '@f' fills a tensor<?xf64> with a f32 into a tensor<?xf64>}}
  %r = linalg.fill ins(%c : f32) outs(%y : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 0.0 : f64
  // expected-error @+1 {{kernel '@f' has a 'linalg.fill' of other than one scalar into one tensor}}
  %r, %s = "linalg.fill"(%c, %c, %y, %x) <{operandSegmentSizes = array<i32: 2, 2>}> ({
  ^bb0(%a: f64, %b: f64, %d: f64, %e: f64):
    "linalg.yield"(%a, %b) : (f64, f64) -> ()
  }) : (f64, f64, tensor<?xf64>, tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// Filling is no folding.
func.func @f(%s: tensor<f64>) -> tensor<f64> {
  %c = arith.constant 0.0 : f64
  // expected-error @+1 {{kernel '@f' does not fold argument 0 with add}}
  %r = linalg.fill ins(%c : f64) outs(%s : tensor<f64>) -> tensor<f64>
  func.return %r : tensor<f64>
}
%s = dist.store "s" : !dist.store<f64>
dist.launch @f<[4]>(%s: reduce<add> #dist.none) : (!dist.store<f64>)

// -----

// Generics

#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{whose dimension d0 is a window}}
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["window"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#first = affine_map<(d0, d1) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{invalid indexing maps are non-invertible}}
  %r = linalg.generic {indexing_maps = [#first, #first], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#first = affine_map<(d0, d1) -> (d0)>
#second = affine_map<(d0, d1) -> (d1)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{whose output 0 leaves out the parallel dimension d0}}
  %r = linalg.generic {indexing_maps = [#first, #second], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
#first = affine_map<(d0) -> (0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{whose indexing map 0 is not a projected permutation}}
  %r = linalg.generic {indexing_maps = [#first, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
#twice = affine_map<(d0) -> (d0 + d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{whose indexing map 0 is not a projected permutation}}
  %r = linalg.generic {indexing_maps = [#twice, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// The values that a generic uses from outside are scalars.
#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %c = arith.constant 0 : index
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    // expected-error @+1 {{whose 'linalg.yield' uses something other than earlier scalars}}
    linalg.yield %c : index
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    // expected-error @+1 {{with the position along a dimension d1 that it lacks}}
    %i = linalg.index 1 : index
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    // expected-error @+1 {{with operation 'test.op', which is not allowed in a kernel}}
    "test.op"() : () -> ()
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    // expected-error @+1 {{has a flag 'fastmath' on 'arith.mulf': operations mean one thing only}}
    %m = arith.mulf %a, %a fastmath<contract> : f64
    linalg.yield %m : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    %t = arith.truncf %a : f64 to f32
    // expected-error @+1 {{that does not yield one element for each output}}
    linalg.yield %t : f32
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    // expected-error @+1 {{that does not yield one element for each output}}
    linalg.yield %a, %a : f64, f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    // expected-error @+1 {{terminates block in single-block region but is not a terminator}}
    %m = arith.mulf %a, %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>) {
  // expected-error @+1 {{kernel '@f' has a 'linalg.generic' of 0 outputs and 0 results}}
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) {
  ^bb0(%a: f64):
    linalg.yield
  }
  func.return
}
%x = dist.store "x" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none) : (!dist.store<8xf64>)

// -----

#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  // expected-error @+1 {{kernel '@f' has a 'linalg.generic' that is a library call}}
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"], library_call = "dcopy"} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @f<[1]>(%x: read #dist.none, %y: write #dist.none) : (!dist.store<8xf64>, !dist.store<8xf64>)

// -----

// Reductions

// The last element is no reduction.
#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @f(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  // expected-error @+1 {{whose output 0 reduces, but is not yielded by a combiner that is the only user of its accumulator and takes it as left operand}}
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    linalg.yield %a : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%s = dist.store "s" : !dist.store<f64>
dist.launch @f<[1]>(%x: read #dist.none, %s: read_write #dist.none) : (!dist.store<8xf64>, !dist.store<f64>)

// -----

// Subtraction does not fold.
#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @f(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  // expected-error @+1 {{whose output 0 reduces, but is not yielded by a combiner that is the only user of its accumulator and takes it as left operand}}
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.subf %acc, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%s = dist.store "s" : !dist.store<f64>
dist.launch @f<[1]>(%x: read #dist.none, %s: read_write #dist.none) : (!dist.store<8xf64>, !dist.store<f64>)

// -----

// The accumulator is used once.
#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @f(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  // expected-error @+1 {{whose output 0 reduces, but is not yielded by a combiner that is the only user of its accumulator and takes it as left operand}}
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %m = arith.mulf %acc, %a : f64
    %n = arith.addf %acc, %m : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%s = dist.store "s" : !dist.store<f64>
dist.launch @f<[1]>(%x: read #dist.none, %s: read_write #dist.none) : (!dist.store<8xf64>, !dist.store<f64>)

// -----

// One combiner an element: two would be two folds.
#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @f(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  // expected-error @+1 {{whose output 0 reduces, but is not yielded by a combiner that is the only user of its accumulator and takes it as left operand}}
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %m = arith.addf %acc, %a : f64
    %n = arith.addf %m, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%s = dist.store "s" : !dist.store<f64>
dist.launch @f<[1]>(%x: read #dist.none, %s: read_write #dist.none) : (!dist.store<8xf64>, !dist.store<f64>)

// -----

// `arith.addi` on booleans wraps at 2: it folds nothing.
#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @f(%x: tensor<?xi1>, %s: tensor<i1>) -> tensor<i1> {
  // expected-error @+1 {{whose output 0 reduces, but is not yielded by a combiner that is the only user of its accumulator and takes it as left operand}}
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xi1>) outs(%s : tensor<i1>) {
  ^bb0(%a: i1, %acc: i1):
    %n = arith.addi %acc, %a : i1
    linalg.yield %n : i1
  } -> tensor<i1>
  func.return %r : tensor<i1>
}
%x = dist.store "x" : !dist.store<8xi1>
%s = dist.store "s" : !dist.store<i1>
dist.launch @f<[1]>(%x: read #dist.none, %s: read_write #dist.none) : (!dist.store<8xi1>, !dist.store<i1>)

// -----

// A partial belongs to one argument.
#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @f(%x: tensor<?xf64>, %s: tensor<f64>, %t: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %acc, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  // expected-error @+1 {{kernel '@f' returns the partial of argument 1 twice}}
  func.return %r, %r : tensor<f64>, tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%s = dist.store "s" : !dist.store<f64>
%t = dist.store "t" : !dist.store<f64>
dist.launch @f<[4]>(%x: read #dist.none, %s: reduce<add> #dist.none, %t: reduce<add> #dist.none) : (!dist.store<8xf64>, !dist.store<f64>, !dist.store<f64>)

// -----

// Nor may others read a partial.
#all = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @f(%x: tensor<?xf64>, %s: tensor<f64>, %t: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %r = linalg.generic {indexing_maps = [#all, #one], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %acc, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  // expected-error @+1 {{kernel '@f' does not fold argument 1 with add}}
  %q = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []} ins(%r : tensor<f64>) outs(%t : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %acc, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r, %q : tensor<f64>, tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%s = dist.store "s" : !dist.store<f64>
%t = dist.store "t" : !dist.store<f64>
dist.launch @f<[4]>(%x: read #dist.none, %s: reduce<add> #dist.none, %t: reduce<add> #dist.none) : (!dist.store<8xf64>, !dist.store<f64>, !dist.store<f64>)
