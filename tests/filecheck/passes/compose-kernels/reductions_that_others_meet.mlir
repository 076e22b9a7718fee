// RUN: fuseir-opt %s -p compose-kernels --split-input-file | filecheck %s

// Written, reduced into, read, through one disjoint tiling: each element is folded into by one point, so the sum is a value like
// any other. The member folds into zeros (-0.0, the identity), and what it folded is added to what was there.
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
func.func @fold(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.fused_task<[4]> {
  dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
  dist.launch @fold<[4]>(%y: read #t, %z: reduce<add> #t) : (!s, !s)
  dist.launch @copy<[4]>(%z: read #t, %x: write #t) : (!s, !s)
}

// CHECK: func.func private @fused_0(%x: tensor<?xf64>, %y: tensor<?xf64>, %x_1: tensor<?xf64>)
// CHECK-SAME: {dist.privileges = ["read_write", "write", "read"]}
// CHECK: %[[OLD:.*]] = linalg.generic {{.*}} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>)
// CHECK: %[[E:.*]] = arith.constant -0.000000e+00 : f64
// CHECK: %[[EMPTY:.*]] = linalg.fill ins(%[[E]] : f64) outs(%y : tensor<?xf64>)
// CHECK: %[[FOLD:.*]] = linalg.generic {{.*}} ins(%x_1 : tensor<?xf64>) outs(%[[EMPTY]] : tensor<?xf64>)
// CHECK: %[[NEW:.*]] = linalg.generic {{.*}} ins(%[[OLD]], %[[FOLD]] : tensor<?xf64>, tensor<?xf64>) outs(%y : tensor<?xf64>)
// CHECK-NEXT: ^bb0(%[[O:.*]]: f64, %[[F:.*]]: f64, %{{.*}}: f64):
// CHECK-NEXT: arith.addf %[[O]], %[[F]]
// CHECK: %[[COPY:.*]] = linalg.generic {{.*}} ins(%[[NEW]] : tensor<?xf64>) outs(%x : tensor<?xf64>)
// CHECK: func.return %[[COPY]], %[[NEW]]
// CHECK: dist.launch @fused_0<[4]>(%x: read_write {{.*}}, %z: write {{.*}}, %y: read

// -----

// Nobody but reductions with the same operator: each stays one, with partials of its own. They are not merged.
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
func.func @fold(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.fused_task<[4]> {
  dist.launch @fold<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)
  dist.launch @fold<[4]>(%y: read #t, %z: reduce<add> #t) : (!s, !s)
}

// CHECK: {dist.privileges = ["read", "reduce<add>", "read", "reduce<add>"]}
// CHECK: dist.launch @fused_0<[4]>(%x: read {{.*}}, %z: reduce<add> {{.*}}, %y: read {{.*}}, %z: reduce<add>

// -----

// Another operator: both become values, in their order; what %z held comes first.
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
func.func @fold(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.addf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @top(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    %s = arith.maximumf %ye, %xe : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
dist.fused_task<[4]> {
  dist.launch @fold<[4]>(%x: read #t, %z: reduce<add> #t) : (!s, !s)
  dist.launch @top<[4]>(%x: read #t, %z: reduce<max> #t) : (!s, !s)
}

// CHECK: func.func private @fused_0(%x: tensor<?xf64>, %y: tensor<?xf64>)
// CHECK-SAME: {dist.privileges = ["read", "read_write"]}
// CHECK: arith.constant -0.000000e+00
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%y, %{{.*}} : tensor<?xf64>, tensor<?xf64>) outs(%y
// CHECK: arith.constant 0xfff0000000000000 : f64
// CHECK: %[[TOP:.*]] = linalg.generic {{.*}} ins(%[[SUM]], %{{.*}} : tensor<?xf64>, tensor<?xf64>) outs(%y
// CHECK-NEXT: ^bb0(%[[O:.*]]: f64, %[[F:.*]]: f64, %{{.*}}: f64):
// CHECK-NEXT: arith.maximumf %[[O]], %[[F]]
// CHECK: func.return %[[TOP]]
