// RUN: fuseir-run %s --in x=full:-0.0 --in y=full:nan --print least --print greatest --print quotient --print saturated --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=full:-0.0 --in y=full:nan --print least --print greatest --print quotient --print saturated --backend cpu | filecheck %s
// RUN: fuseir-run %s --in x=full:-0.0 --in y=zeros --print least --print greatest --print quotient | filecheck %s --check-prefix=ZERO
// RUN: fuseir-run %s --in x=full:-1e30 --in y=full:inf --print quotient --print saturated | filecheck %s --check-prefix=BIG

// min and max propagate NaN and order -0 below +0; conversions saturate, NaN gives 0.

// CHECK:      least = [nan, nan]
// CHECK-NEXT: greatest = [nan, nan]
// CHECK-NEXT: quotient = [nan, nan]
// CHECK-NEXT: saturated = [0, 0]

// ZERO:      least = [-0.0, -0.0]
// ZERO-NEXT: greatest = [0.0, 0.0]
// ZERO-NEXT: quotient = [nan, nan]

// BIG:      quotient = [-0.0, -0.0]
// BIG-NEXT: saturated = [-32768, -32768]

func.func @min(%x: tensor<?xf32>, %y: tensor<?xf32>, %z: tensor<?xf32>) -> tensor<?xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%z : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.minimumf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

func.func @max(%x: tensor<?xf32>, %y: tensor<?xf32>, %z: tensor<?xf32>) -> tensor<?xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%z : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.maximumf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

func.func @div(%x: tensor<?xf32>, %y: tensor<?xf32>, %z: tensor<?xf32>) -> tensor<?xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%z : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.divf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

func.func @saturate(%x: tensor<?xf32>, %z: tensor<?xi16>) -> tensor<?xi16> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%z : tensor<?xi16>) {
  ^bb0(%a: f32, %b: i16):
    %0 = arith.fptosi %a : f32 to i16
    linalg.yield %0 : i16
  } -> tensor<?xi16>
  func.return %r : tensor<?xi16>
}

%x = dist.store "x" : !dist.store<2xf32>
%y = dist.store "y" : !dist.store<2xf32>
%least = dist.store "least" : !dist.store<2xf32>
dist.launch @min<[1]>(%x: read #dist.none, %y: read #dist.none, %least: write #dist.none) : (!dist.store<2xf32>, !dist.store<2xf32>, !dist.store<2xf32>)
%greatest = dist.store "greatest" : !dist.store<2xf32>
dist.launch @max<[1]>(%x: read #dist.none, %y: read #dist.none, %greatest: write #dist.none) : (!dist.store<2xf32>, !dist.store<2xf32>, !dist.store<2xf32>)
%quotient = dist.store "quotient" : !dist.store<2xf32>
dist.launch @div<[1]>(%x: read #dist.none, %y: read #dist.none, %quotient: write #dist.none) : (!dist.store<2xf32>, !dist.store<2xf32>, !dist.store<2xf32>)
%saturated = dist.store "saturated" : !dist.store<2xi16>
dist.launch @saturate<[1]>(%x: read #dist.none, %saturated: write #dist.none) : (!dist.store<2xf32>, !dist.store<2xi16>)
