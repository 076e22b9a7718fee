// RUN: fuseir-opt %s | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | fuseir-opt | filecheck %s
// RUN: fuseir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// What may be written through #dist.replicated: whatever comes out the same at each point.

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
func.func @both(%x: tensor<?xf64>, %y: tensor<?xf64>, %a: tensor<f64>, %b: tensor<f64>) -> (tensor<?xf64>, tensor<f64>) {
  %d = linalg.generic {indexing_maps = [#zero, #zero], iterator_types = []} ins(%a : tensor<f64>) outs(%b : tensor<f64>) {
  ^bb0(%u: f64, %v: f64):
    %n = arith.addf %u, %u : f64
    linalg.yield %n : f64
  } -> tensor<f64>
  %r = linalg.generic {indexing_maps = [#all, #zero1, #all], iterator_types = ["parallel"]}
      ins(%x, %d : tensor<?xf64>, tensor<f64>) outs(%y : tensor<?xf64>) {
  ^bb0(%u: f64, %v: f64, %w: f64):
    %n = arith.mulf %u, %v : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r, %d : tensor<?xf64>, tensor<f64>
}
func.func private @opaque(tensor<f64>) -> tensor<f64>

%x = dist.store "x" : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
%a = dist.store "a" : !dist.store<f64>
%b = dist.store "b" : !dist.store<f64>

// CHECK: dist.launch @copy<[4]>(%a: read #dist.none, %b: write #dist.replicated) : (!dist.store<f64>, !dist.store<f64>)
// GENERIC: partitions = [#dist.none, #dist.replicated]
dist.launch @copy<[4]>(%a: read #dist.none, %b: write #dist.replicated) : (!dist.store<f64>, !dist.store<f64>)
// Reading through it is reading through #dist.none.
// CHECK-NEXT: dist.launch @copy<[4]>(%b: read #dist.replicated, %a: write #dist.replicated)
dist.launch @copy<[4]>(%b: read #dist.replicated, %a: write #dist.replicated) : (!dist.store<f64>, !dist.store<f64>)
// A tile that does not move is as good as the whole.
// CHECK-NEXT: dist.launch @sum<[4]>(%x: read #dist.tiling<[2], (d0) -> (1)>, %a: write #dist.replicated)
dist.launch @sum<[4]>(%x: read #dist.tiling<[2], (d0) -> (1)>, %a: write #dist.replicated) : (!dist.store<8xf64>, !dist.store<f64>)
// So are tiles of one size to who looks at their size only.
// CHECK-NEXT: dist.launch @count<[4]>(%x: no_access #dist.tiling<[2]>, %a: write #dist.replicated)
dist.launch @count<[4]>(%x: no_access #dist.tiling<[2]>, %a: write #dist.replicated) : (!dist.store<8xf64>, !dist.store<f64>)
// Other results of the task may differ.
// CHECK-NEXT: dist.launch @both<[4]>(%x: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>, %a: read #dist.none, %b: write #dist.replicated)
dist.launch @both<[4]>(%x: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>, %a: read #dist.none, %b: write #dist.replicated)
  : (!dist.store<8xf64>, !dist.store<8xf64>, !dist.store<f64>, !dist.store<f64>)
// One point may do anything.
// CHECK-NEXT: dist.launch @sum<[1]>(%x: read #dist.tiling<[8]>, %a: write #dist.replicated)
dist.launch @sum<[1]>(%x: read #dist.tiling<[8]>, %a: write #dist.replicated) : (!dist.store<8xf64>, !dist.store<f64>)
// CHECK-NEXT: dist.launch @copy<[1]>(%a: read #dist.none, %a: write #dist.replicated)
dist.launch @copy<[1]>(%a: read #dist.none, %a: write #dist.replicated) : (!dist.store<f64>, !dist.store<f64>)
// CHECK-NEXT: dist.launch @opaque<[1]>(%a: write #dist.replicated)
dist.launch @opaque<[1]>(%a: write #dist.replicated) : (!dist.store<f64>)
