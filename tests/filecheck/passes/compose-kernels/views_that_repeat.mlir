// RUN: fuseir-opt %s -p compose-kernels --split-input-file | filecheck %s
// RUN: fuseir-opt %s -p compose-kernels{repeats=true} --split-input-file | filecheck %s --check-prefix=KEPT

// A column along the rows: the kernel takes the column, and broadcasts it. The view gives the shape.
!x = !dist.store<8x6xf64>
!m = !dist.store<3x8xf64>
!r = !dist.view<8x6xf64>
#rows = #dist.tiling<[2, 6], (d0) -> (d0, 0)>
#in = affine_map<(d0, d1) -> (d0, d1)>
func.func @add(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %r = linalg.generic {indexing_maps = [#in, #in, #in], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?x?xf64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %ze: f64):
    %s = arith.addf %xe, %ye : f64
    linalg.yield %s : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

%x = dist.store "x" : !x
%m = dist.store "m" : !m
%z = dist.store "z" : !x
%column = dist.view %m (d0, d1) -> (1, d0) : !m -> !r
%row = dist.view %m (d0, d1) -> (2, d1) : !m -> !r
dist.launch @add<[4]>(%x: read #rows, %column: read #rows, %z: write #rows) : (!x, !r, !x)
dist.launch @add<[4]>(%x: read #rows, %row: read #rows, %z: write #rows) : (!x, !r, !x)

// CHECK: func.func private @fused_0(%x: tensor<?x?xf64>, [[C:%[0-9a-z_]+]]: tensor<?xf64>, %y: tensor<?x?xf64>, %z: tensor<?x?xf64>)
// CHECK: [[B:%[0-9a-z_]+]] = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], {{.*}} ins([[C]] : tensor<?xf64>) outs(%y
// CHECK: linalg.generic {{.*}} ins(%x, [[B]] :
// CHECK: [[V:%[0-9a-z_]+]] = dist.view %m (d0) -> (1, d0) : !dist.store<3x8xf64> -> !dist.view<8xf64>
// CHECK-NEXT: dist.launch @fused_0<[4]>(%x: read {{.*}}, [[V]]: read #dist.tiling<[2]>, %column: no_access {{.*}}, %z: write
// Memory moves along the rows of the other view.
// CHECK: dist.launch @add<[4]>(%x: read {{.*}}, %row: read
// KEPT: dist.launch @add<[4]>(%x: read {{.*}}, %column: read
// KEPT: dist.launch @add<[4]>(%x: read {{.*}}, %row: read

// -----

// One element everywhere is a tensor of rank 0. Beside a transposed view nothing is taken apart: which loop is the inner one shows later.
!x = !dist.store<8x6xf64>
!t = !dist.store<6x8xf64>
!r = !dist.view<8x6xf64>
#in = affine_map<(d0, d1) -> (d0, d1)>
func.func @add(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %r = linalg.generic {indexing_maps = [#in, #in, #in], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?x?xf64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %ze: f64):
    %s = arith.addf %xe, %ye : f64
    linalg.yield %s : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

%x = dist.store "x" : !x
%t = dist.store "t" : !t
%n = dist.store "n" : !dist.store<f64>
%z = dist.store "z" : !x
%one = dist.view %n (d0, d1) -> () : !dist.store<f64> -> !r
%turned = dist.view %t (d0, d1) -> (d1, d0) : !t -> !r
dist.launch @add<[1]>(%x: read #dist.none, %one: read #dist.none, %z: write #dist.none) : (!x, !r, !x)
dist.launch @add<[1]>(%turned: read #dist.none, %one: read #dist.none, %z: write #dist.none) : (!r, !r, !x)

// CHECK: func.func private @fused_0(%x: tensor<?x?xf64>, {{%[0-9a-z_]+}}: tensor<f64>, %y
// CHECK: dist.launch @fused_0<[1]>(%x: read #dist.none, %n: read #dist.none, %one: no_access #dist.none, %z: write
// CHECK-NEXT: dist.launch @add<[1]>(%turned: read #dist.none, %one: read #dist.none
