// RUN: fuseir-opt %s --split-input-file --verify-diagnostics=expected -o /dev/null
//
// Points that all write one argument must write the same values to it.

// Privileges: copies are made anew, or looked at.

#zero = affine_map<() -> ()>
#zero1 = affine_map<(d0) -> ()>
#all = affine_map<(d0) -> (d0)>
func.func private @f(tensor<f64>) -> tensor<f64>
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
%a = dist.store "a" : !dist.store<f64>
%b = dist.store "b" : !dist.store<f64>
// expected-error @+1 {{argument 0: 'read_write' through #dist.replicated, which is for 'read' and 'write'}}
dist.launch @f<[1]>(%a: read_write #dist.replicated) : (!dist.store<f64>)

// -----

#zero = affine_map<() -> ()>
#zero1 = affine_map<(d0) -> ()>
#all = affine_map<(d0) -> (d0)>
func.func private @f(tensor<f64>) -> tensor<f64>
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
%a = dist.store "a" : !dist.store<f64>
%b = dist.store "b" : !dist.store<f64>
// expected-error @+1 {{argument 0: 'reduce<add>' through #dist.replicated, which is for 'read' and 'write'}}
dist.launch @f<[4]>(%a: reduce<add> #dist.replicated) : (!dist.store<f64>)

// -----

// Nobody knows whether a task without a body does the same at each point.

#zero = affine_map<() -> ()>
#zero1 = affine_map<(d0) -> ()>
#all = affine_map<(d0) -> (d0)>
func.func private @f(tensor<f64>) -> tensor<f64>
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
%a = dist.store "a" : !dist.store<f64>
%b = dist.store "b" : !dist.store<f64>
// expected-error @+1 {{argument 0: opaque task '@f' writes through #dist.replicated}}
dist.launch @f<[2]>(%a: write #dist.replicated) : (!dist.store<f64>)

// -----

// What is written is the same at each point: it is made of whole arguments, not of pieces.

#zero = affine_map<() -> ()>
#zero1 = affine_map<(d0) -> ()>
#all = affine_map<(d0) -> (d0)>
func.func @sum(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %c = arith.constant 0.0 : f64
  %e = linalg.fill ins(%c : f64) outs(%s : tensor<f64>) -> tensor<f64>
  %r = linalg.generic {indexing_maps = [#all, #zero1], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%e : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %acc, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
%a = dist.store "a" : !dist.store<f64>
%b = dist.store "b" : !dist.store<f64>
// expected-error @+1 {{argument 1 is written through #dist.replicated but depends on argument 0, which differs between points}}
dist.launch @sum<[4]>(%x: read #dist.tiling<[2]>, %a: write #dist.replicated) : (!dist.store<8xf64>, !dist.store<f64>)

// -----

// Values are followed: the sum of one result, the shape of a piece.

#zero = affine_map<() -> ()>
#zero1 = affine_map<(d0) -> ()>
#all = affine_map<(d0) -> (d0)>
func.func @twice(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %c = arith.constant 0.0 : f64
  %e = linalg.fill ins(%c : f64) outs(%s : tensor<f64>) -> tensor<f64>
  %r = linalg.generic {indexing_maps = [#all, #zero1], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%e : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %acc, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  %t = linalg.generic {indexing_maps = [#zero, #zero], iterator_types = []} ins(%r : tensor<f64>) outs(%s : tensor<f64>) {
  ^bb0(%a: f64, %b: f64):
    %n = arith.addf %a, %a : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %t : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
%a = dist.store "a" : !dist.store<f64>
%b = dist.store "b" : !dist.store<f64>
// expected-error @+1 {{argument 1 is written through #dist.replicated but depends on argument 0, which differs between points}}
dist.launch @twice<[4]>(%x: read #dist.tiling<[2]>, %a: write #dist.replicated) : (!dist.store<8xf64>, !dist.store<f64>)

// -----

// The last tile is cut short.
#zero = affine_map<() -> ()>
#zero1 = affine_map<(d0) -> ()>
#all = affine_map<(d0) -> (d0)>
func.func @count(%x: tensor<?xf64>, %s: tensor<f64>) -> tensor<f64> {
  %c = arith.constant 0.0 : f64
  %one = arith.constant 1.0 : f64
  %e = linalg.fill ins(%c : f64) outs(%s : tensor<f64>) -> tensor<f64>
  %r = linalg.generic {indexing_maps = [#all, #zero1], iterator_types = ["reduction"]} ins(%x : tensor<?xf64>) outs(%e : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %n = arith.addf %acc, %one : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
%a = dist.store "a" : !dist.store<f64>
%b = dist.store "b" : !dist.store<f64>
// expected-error @+1 {{argument 1 is written through #dist.replicated but depends on argument 0, which differs between points}}
dist.launch @count<[3]>(%x: no_access #dist.tiling<[3]>, %a: write #dist.replicated) : (!dist.store<8xf64>, !dist.store<f64>)

// -----

// WF-2: a point may be done before another begins, so nobody may need what was there before.

#zero = affine_map<() -> ()>
#zero1 = affine_map<(d0) -> ()>
#all = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#zero, #zero], iterator_types = []} ins(%x : tensor<f64>) outs(%y : tensor<f64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
%a = dist.store "a" : !dist.store<f64>
%b = dist.store "b" : !dist.store<f64>
// expected-error @+1 {{arguments 0 and 1: 'read' and 'write' of one store may conflict at different points (WF-2)}}
dist.launch @copy<[2]>(%a: read #dist.none, %a: write #dist.replicated) : (!dist.store<f64>, !dist.store<f64>)
