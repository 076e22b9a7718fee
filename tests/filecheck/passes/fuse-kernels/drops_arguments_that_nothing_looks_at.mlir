// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries,compose-kernels,fuse-kernels | filecheck %s

// The temporary %t passes from one member to the next. Once their loops are one, nobody asks for its shape: the argument goes, and
// with it the store and its release.

func.func @scale(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%e: f64, %unused: f64):
    %m = arith.mulf %e, %e : f64
    linalg.yield %m : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !dist.store<8xf64>
%t = dist.store : !dist.store<8xf64>
%y = dist.store "y" : !dist.store<8xf64>
dist.launch @scale<[4]>(%x: read #dist.tiling<[2]>, %t: write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)
dist.launch @scale<[4]>(%t: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>) : (!dist.store<8xf64>, !dist.store<8xf64>)
dist.release %t : !dist.store<8xf64>

// CHECK-LABEL: func.func private @fused_0(
// CHECK-SAME:    tensor<?xf64>, %{{.*}}: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "write"]}
// CHECK:       %x = dist.store "x"
// CHECK-NEXT:  %y = dist.store "y"
// CHECK-NEXT:  dist.launch @fused_0<[4]>(%x: read #dist.tiling<[2]>, %y: write #dist.tiling<[2]>)
// CHECK-NOT:   dist.release
