// RUN: fuseir-opt %s -p compose-kernels --split-input-file | filecheck %s

// A launch that changes nothing.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
func.func @look(%t: tensor<?xf64>) {
  func.return
}
dist.launch @look<[4]>(%x: read #t) : (!s)

// CHECK-NOT: func.func
// CHECK-NOT: dist.launch
