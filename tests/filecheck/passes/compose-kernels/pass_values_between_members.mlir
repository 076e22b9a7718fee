// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries,compose-kernels --split-input-file | filecheck %s

// What one member writes is a value to the next. The temporary stays for its shape; the kernels of the members
// are gone.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
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
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @add<[4]>(%z: read #t, %x: read #t, %y: write #t) : (!s, !s, !s)
dist.release %z : !s

// CHECK-NOT: func.func @copy
// CHECK: func.func private @fused_0(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64>
// CHECK-SAME: {dist.privileges = ["read", "no_access", "write"]}
// CHECK-NEXT: %r = linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>)
// CHECK: %r_1 = linalg.generic {{.*}} ins(%r, %x : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>)
// CHECK: func.return %r_1 : tensor<?xf64>
// CHECK-NOT: func.func
// CHECK: dist.launch @fused_0<[4]>(%x: read #dist.tiling<[2]>, %z: no_access #dist.tiling<[2]>, %y: write #dist.tiling<[2]>)
// CHECK-NEXT: dist.release %z

// -----

// The same where the application holds the store between: the value is also returned.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
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
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @add<[4]>(%z: read #t, %x: read #t, %y: write #t) : (!s, !s, !s)

// CHECK: func.func private @fused_0
// CHECK-SAME: {dist.privileges = ["read", "write", "write"]}
// CHECK: func.return %r, %r_1 : tensor<?xf64>, tensor<?xf64>
// CHECK: dist.launch @fused_0<[4]>(%x: read {{.*}}, %z: write {{.*}}, %y: write
