// RUN: fuseir-opt %s -p compose-kernels --split-input-file | filecheck %s

// Each point's rows are folded to one number each, and read along the rows: a broadcast of the value. %m has one parameter for its contents,
// and one for the shape of the broadcast.
!x = !dist.store<8x6xf64>
!m = !dist.store<8xf64>
#rows = #dist.tiling<[2, 6], (d0) -> (d0, 0)>
#t = #dist.tiling<[2]>
#in = affine_map<(d0, d1) -> (d0, d1)>
#out = affine_map<(d0, d1) -> (d0)>
func.func @largest(%x: tensor<?x?xf64>, %m: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf64>) outs(%m : tensor<?xf64>) {
  ^bb0(%xe: f64, %me: f64):
    %b = arith.maximumf %me, %xe : f64
    linalg.yield %b : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @sub(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %r = linalg.generic {indexing_maps = [#in, #in, #in], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?x?xf64>, tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %ze: f64):
    %d = arith.subf %xe, %ye : f64
    linalg.yield %d : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

%x = dist.store "x" : !x
%m = dist.store "m" : !m
%z = dist.store "z" : !x
%along = dist.view %m (d0, d1) -> (d0) : !m -> !dist.view<8x6xf64>
dist.fused_task<[4]> {
  dist.launch @largest<[4]>(%x: read #rows, %m: reduce<max> #t) : (!x, !m)
  dist.launch @sub<[4]>(%x: read #rows, %along: read #rows, %z: write #rows) : (!x, !dist.view<8x6xf64>, !x)
}

// CHECK: func.func private @fused_0(%x: tensor<?x?xf64>, %m: tensor<?xf64>, %y: tensor<?x?xf64>, %z: tensor<?x?xf64>)
// CHECK-SAME: dist.privileges = ["read", "read_write", "no_access", "write"]
// CHECK: [[M:%[0-9a-z_]+]] = linalg.generic {{.*}} ins(%m, %{{.*}} : tensor<?xf64>, tensor<?xf64>) outs(%m
// CHECK: [[ALONG:%[0-9a-z_]+]] = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], {{.*}} ins([[M]] : tensor<?xf64>) outs(%y : tensor<?x?xf64>)
// CHECK: linalg.generic {{.*}} ins(%x, [[ALONG]] : tensor<?x?xf64>, tensor<?x?xf64>) outs(%z
// CHECK: dist.launch @fused_0<[4]>(%x: read {{.*}}, %m: read_write #dist.tiling<[2]>, %along: no_access {{.*}}, %z: write

// -----

// Read before it is written: the old contents. And a transpose is read as a value, too.
!x = !dist.store<8x6xf64>
!m = !dist.store<8xf64>
#rows = #dist.tiling<[2, 6], (d0) -> (d0, 0)>
#columns = #dist.tiling<[6, 2], (d0) -> (0, d0)>
#t = #dist.tiling<[2]>
#id = affine_map<(d0) -> (d0)>
#in = affine_map<(d0, d1) -> (d0, d1)>
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%xe: f64, %ze: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @copy2(%x: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %r = linalg.generic {indexing_maps = [#in, #in], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%xe: f64, %ze: f64):
    linalg.yield %xe : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

%v = dist.store "v" : !m
%m = dist.store "m" : !m
%z = dist.store "z" : !x
%w = dist.store "w" : !dist.store<6x8xf64>
%along = dist.view %m (d0, d1) -> (d0) : !m -> !dist.view<8x6xf64>
%turned = dist.view %z (d0, d1) -> (d1, d0) : !x -> !dist.view<6x8xf64>
dist.fused_task<[4]> {
  dist.launch @copy2<[4]>(%along: read #rows, %z: write #rows) : (!dist.view<8x6xf64>, !x)
  dist.launch @copy<[4]>(%v: read #t, %m: write #t) : (!m, !m)
  dist.launch @copy2<[4]>(%turned: read #columns, %w: write #columns) : (!dist.view<6x8xf64>, !dist.store<6x8xf64>)
}

// CHECK: dist.privileges = ["read_write", "no_access", "write", "read", "no_access", "write"]
// CHECK: linalg.generic {{.*}} ins(%z : tensor<?xf64>) outs(%x
// CHECK: [[Z:%[0-9a-z_]+]] = linalg.generic {{.*}} outs(%z_1
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, {{.*}} ins([[Z]] : tensor<?x?xf64>)
// CHECK: dist.launch @fused_0<[4]>(%m: read_write {{.*}}, %along: no_access {{.*}}, %z: write {{.*}}, %v: read {{.*}}, %turned: no_access {{.*}}, %w: write

// -----

// The points' rows of %m are other ones than those they read along: that needs memory.
!x = !dist.store<8x6xf64>
!m = !dist.store<8xf64>
#rows = #dist.tiling<[8, 6], (d0) -> (d0, 0)>
#t = #dist.tiling<[4]>
#id = affine_map<(d0) -> (d0)>
#in = affine_map<(d0, d1) -> (d0, d1)>
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%xe: f64, %ze: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @copy2(%x: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %r = linalg.generic {indexing_maps = [#in, #in], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%xe: f64, %ze: f64):
    linalg.yield %xe : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

%v = dist.store "v" : !m
%m = dist.store "m" : !m
%z = dist.store "z" : !x
%along = dist.view %m (d0, d1) -> (d0) : !m -> !dist.view<8x6xf64>
dist.fused_task<[1]> {
  dist.launch @copy<[1]>(%v: read #t, %m: write #t) : (!m, !m)
  dist.launch @copy2<[1]>(%along: read #rows, %z: write #rows) : (!dist.view<8x6xf64>, !x)
}

// CHECK: dist.launch @copy<[1]>
// CHECK-NEXT: dist.launch @fused_0<[1]>(%m: read #dist.tiling<[8]>, %along: no_access {{.*}}, %z: write
