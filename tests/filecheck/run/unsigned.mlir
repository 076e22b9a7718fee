// RUN: fuseir-run %s --in x=full:250 --in y=arange --print quotient --print greater --print least --in least=full:200 --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=full:250 --in y=arange --print quotient --print greater --print least --in least=full:200 --backend cpu | filecheck %s

// A store of ui8 is a tensor of i8 in kernels: the operations say which reading they take.

// CHECK:      quotient = [0, 250, 125, 83]
// CHECK-NEXT: greater = [true, true, true, true]
// CHECK-NEXT: least = 1

func.func @div(%x: tensor<?xi8>, %y: tensor<?xi8>, %z: tensor<?xi8>) -> tensor<?xi8> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xi8>, tensor<?xi8>) outs(%z : tensor<?xi8>) {
  ^bb0(%a: i8, %b: i8, %c: i8):
    %0 = arith.divui %a, %b : i8
    linalg.yield %0 : i8
  } -> tensor<?xi8>
  func.return %r : tensor<?xi8>
}

func.func @greater(%x: tensor<?xi8>, %y: tensor<?xi8>, %z: tensor<?xi1>) -> tensor<?xi1> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xi8>, tensor<?xi8>) outs(%z : tensor<?xi1>) {
  ^bb0(%a: i8, %b: i8, %c: i1):
    %0 = arith.cmpi ugt, %a, %b : i8
    linalg.yield %0 : i1
  } -> tensor<?xi1>
  func.return %r : tensor<?xi1>
}

func.func @least(%x: tensor<?xi8>, %s: tensor<i8>) -> tensor<i8> {
  %one = arith.constant 1 : i8
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xi8>) outs(%s : tensor<i8>) {
  ^bb0(%a: i8, %acc: i8):
    %0 = arith.maxui %a, %one : i8
    %1 = arith.minui %acc, %0 : i8
    linalg.yield %1 : i8
  } -> tensor<i8>
  func.return %r : tensor<i8>
}

%x = dist.store "x" : !dist.store<4xui8>
%y = dist.store "y" : !dist.store<4xui8>
%quotient = dist.store "quotient" : !dist.store<4xui8>
%greater = dist.store "greater" : !dist.store<4xi1>
%least = dist.store "least" : !dist.store<ui8>
dist.launch @div<[1]>(%x: read #dist.none, %y: read #dist.none, %quotient: write #dist.none) : (!dist.store<4xui8>, !dist.store<4xui8>, !dist.store<4xui8>)
dist.launch @greater<[1]>(%x: read #dist.none, %y: read #dist.none, %greater: write #dist.none) : (!dist.store<4xui8>, !dist.store<4xui8>, !dist.store<4xi1>)
dist.launch @least<[2]>(%y: read #dist.tiling<[2]>, %least: reduce<min> #dist.none) : (!dist.store<4xui8>, !dist.store<ui8>)
