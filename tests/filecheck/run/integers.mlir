// RUN: fuseir-run %s --in x=full:-128 --in y=arange --print quotient --print remainder --print shifted --print power --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=full:-128 --in y=arange --print quotient --print remainder --print shifted --print power --backend cpu | filecheck %s

// Division by zero gives 0, INT_MIN / -1 gives INT_MIN; a shift by the width or more gives 0; powers wrap.

// CHECK:      quotient = [0, -128, -64, -42]
// CHECK-NEXT: remainder = [0, 0, 0, -2]
// CHECK-NEXT: shifted = [-128, 0, 0, 0]
// CHECK-NEXT: power = [1, -128, 0, 0]

func.func @div(%x: tensor<?xi8>, %y: tensor<?xi8>, %z: tensor<?xi8>) -> tensor<?xi8> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xi8>, tensor<?xi8>) outs(%z : tensor<?xi8>) {
  ^bb0(%a: i8, %b: i8, %c: i8):
    %0 = arith.divsi %a, %b : i8
    linalg.yield %0 : i8
  } -> tensor<?xi8>
  func.return %r : tensor<?xi8>
}

func.func @rem(%x: tensor<?xi8>, %y: tensor<?xi8>, %z: tensor<?xi8>) -> tensor<?xi8> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xi8>, tensor<?xi8>) outs(%z : tensor<?xi8>) {
  ^bb0(%a: i8, %b: i8, %c: i8):
    %0 = arith.remsi %a, %b : i8
    linalg.yield %0 : i8
  } -> tensor<?xi8>
  func.return %r : tensor<?xi8>
}

func.func @shift(%x: tensor<?xi8>, %y: tensor<?xi8>, %z: tensor<?xi8>) -> tensor<?xi8> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xi8>, tensor<?xi8>) outs(%z : tensor<?xi8>) {
  ^bb0(%a: i8, %b: i8, %c: i8):
    %0 = arith.shli %a, %b : i8
    linalg.yield %0 : i8
  } -> tensor<?xi8>
  func.return %r : tensor<?xi8>
}

func.func @pow(%x: tensor<?xi8>, %y: tensor<?xi8>, %z: tensor<?xi8>) -> tensor<?xi8> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xi8>, tensor<?xi8>) outs(%z : tensor<?xi8>) {
  ^bb0(%a: i8, %b: i8, %c: i8):
    %0 = math.ipowi %a, %b : i8
    linalg.yield %0 : i8
  } -> tensor<?xi8>
  func.return %r : tensor<?xi8>
}

%x = dist.store "x" : !dist.store<4xi8>
%y = dist.store "y" : !dist.store<4xi8>
%quotient = dist.store "quotient" : !dist.store<4xi8>
dist.launch @div<[1]>(%x: read #dist.none, %y: read #dist.none, %quotient: write #dist.none) : (!dist.store<4xi8>, !dist.store<4xi8>, !dist.store<4xi8>)
%remainder = dist.store "remainder" : !dist.store<4xi8>
dist.launch @rem<[1]>(%x: read #dist.none, %y: read #dist.none, %remainder: write #dist.none) : (!dist.store<4xi8>, !dist.store<4xi8>, !dist.store<4xi8>)
%shifted = dist.store "shifted" : !dist.store<4xi8>
dist.launch @shift<[1]>(%x: read #dist.none, %y: read #dist.none, %shifted: write #dist.none) : (!dist.store<4xi8>, !dist.store<4xi8>, !dist.store<4xi8>)
%power = dist.store "power" : !dist.store<4xi8>
dist.launch @pow<[1]>(%x: read #dist.none, %y: read #dist.none, %power: write #dist.none) : (!dist.store<4xi8>, !dist.store<4xi8>, !dist.store<4xi8>)
