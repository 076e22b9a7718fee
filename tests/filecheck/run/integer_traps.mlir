// RUN: fuseir-run %s --in x=full:-2147483648 --in y=full:-1 --print quotient --print remainder --print down --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=full:-2147483648 --in y=full:-1 --print quotient --print remainder --print down --backend cpu | filecheck %s

// What would trap on the processor.

// CHECK:      quotient = [-2147483648, -2147483648, -2147483648]
// CHECK-NEXT: remainder = [0, 0, 0]
// CHECK-NEXT: down = [-2147483648, -2147483648, -2147483648]

func.func @div(%x: tensor<?xi32>, %y: tensor<?xi32>, %z: tensor<?xi32>) -> tensor<?xi32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xi32>, tensor<?xi32>) outs(%z : tensor<?xi32>) {
  ^bb0(%a: i32, %b: i32, %c: i32):
    %0 = arith.divsi %a, %b : i32
    linalg.yield %0 : i32
  } -> tensor<?xi32>
  func.return %r : tensor<?xi32>
}

func.func @rem(%x: tensor<?xi32>, %y: tensor<?xi32>, %z: tensor<?xi32>) -> tensor<?xi32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xi32>, tensor<?xi32>) outs(%z : tensor<?xi32>) {
  ^bb0(%a: i32, %b: i32, %c: i32):
    %0 = arith.remsi %a, %b : i32
    linalg.yield %0 : i32
  } -> tensor<?xi32>
  func.return %r : tensor<?xi32>
}

func.func @floor(%x: tensor<?xi32>, %y: tensor<?xi32>, %z: tensor<?xi32>) -> tensor<?xi32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xi32>, tensor<?xi32>) outs(%z : tensor<?xi32>) {
  ^bb0(%a: i32, %b: i32, %c: i32):
    %0 = arith.floordivsi %a, %b : i32
    linalg.yield %0 : i32
  } -> tensor<?xi32>
  func.return %r : tensor<?xi32>
}

%x = dist.store "x" : !dist.store<3xi32>
%y = dist.store "y" : !dist.store<3xi32>
%quotient = dist.store "quotient" : !dist.store<3xi32>
dist.launch @div<[1]>(%x: read #dist.none, %y: read #dist.none, %quotient: write #dist.none) : (!dist.store<3xi32>, !dist.store<3xi32>, !dist.store<3xi32>)
%remainder = dist.store "remainder" : !dist.store<3xi32>
dist.launch @rem<[1]>(%x: read #dist.none, %y: read #dist.none, %remainder: write #dist.none) : (!dist.store<3xi32>, !dist.store<3xi32>, !dist.store<3xi32>)
%down = dist.store "down" : !dist.store<3xi32>
dist.launch @floor<[1]>(%x: read #dist.none, %y: read #dist.none, %down: write #dist.none) : (!dist.store<3xi32>, !dist.store<3xi32>, !dist.store<3xi32>)
