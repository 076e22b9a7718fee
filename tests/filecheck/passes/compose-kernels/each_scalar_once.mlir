// RUN: fuseir-opt %s -p fuse-tasks,eliminate-temporaries,compose-kernels --split-input-file | filecheck %s

// Three uses of two scalars.
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
func.func @set(%y: tensor<?xf64>, %v: f64) -> tensor<?xf64> {
  %r = linalg.fill ins(%v : f64) outs(%y : tensor<?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%a = dist.scalar "a" = 1.0 : f64
%b = dist.scalar "b" = 2.0 : f64
dist.launch @set<[4]>(%x: write #t) scalars(%a) : (!s, f64)
dist.launch @set<[4]>(%y: write #t) scalars(%b) : (!s, f64)
dist.launch @set<[4]>(%z: write #t) scalars(%a) : (!s, f64)

// CHECK: func.func private @fused_0(%y: {{.*}}, %y_1: {{.*}}, %y_2: {{.*}}, %v: f64, %v_1: f64)
// CHECK: dist.launch @fused_0<[4]>({{.*}}) scalars(%a, %b)
