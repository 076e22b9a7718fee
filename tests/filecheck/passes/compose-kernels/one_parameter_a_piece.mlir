// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries,compose-kernels --split-input-file | filecheck %s

// In place: a launch that reads and writes the same pieces gets a kernel with one parameter for both.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @add(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %ze: f64):
    %s = arith.addf %xe, %ye : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @add<[4]>(%x: read #t, %y: read #t, %x: write #t) : (!s, !s, !s)

// CHECK: func.func private @fused_0(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64>
// CHECK-SAME: {dist.privileges = ["read_write", "read"]}
// CHECK: ins(%x, %y : {{.*}}) outs(%x :
// CHECK: dist.launch @fused_0<[4]>(%x: read_write {{.*}}, %y: read

// -----

// Squares and the like: one store read twice.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @add(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %ze: f64):
    %s = arith.addf %xe, %ye : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @add<[4]>(%x: read #t, %x: read #t, %y: write #t) : (!s, !s, !s)

// CHECK: func.func private @fused_0(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64>
// CHECK: ins(%x, %x : {{.*}}) outs(%z :
// CHECK: dist.launch @fused_0<[4]>(%x: read {{.*}}, %y: write

// -----

// Other pieces of a store are other parameters.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @add(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %ze: f64):
    %s = arith.addf %xe, %ye : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%v = dist.view %x (d0) -> (-d0 + 7) : !s -> !dist.view<8xf64>
dist.launch @add<[4]>(%x: read #t, %v: read #t, %y: write #t) : (!s, !dist.view<8xf64>, !s)

// CHECK: dist.launch @add<[4]>(%x: read {{.*}}, %v: read {{.*}}, %y: write
