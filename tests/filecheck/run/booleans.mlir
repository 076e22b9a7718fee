// RUN: fuseir-run %s --in x=arange --in any=zeros --in all=ones --print even --print any --print all --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=arange --in any=zeros --in all=ones --print even --print any --print all --backend cpu | filecheck %s

// CHECK:      even = [true, false, true, false, true]
// CHECK-NEXT: any = true
// CHECK-NEXT: all = false

func.func @even(%x: tensor<?xi64>, %z: tensor<?xi1>) -> tensor<?xi1> {
  %one = arith.constant 1 : i64
  %zero = arith.constant 0 : i64
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xi64>) outs(%z : tensor<?xi1>) {
  ^bb0(%a: i64, %b: i1):
    %0 = arith.andi %a, %one : i64
    %1 = arith.cmpi eq, %0, %zero : i64
    linalg.yield %1 : i1
  } -> tensor<?xi1>
  func.return %r : tensor<?xi1>
}

func.func @any(%x: tensor<?xi1>, %s: tensor<i1>) -> tensor<i1> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xi1>) outs(%s : tensor<i1>) {
  ^bb0(%a: i1, %acc: i1):
    %0 = arith.ori %acc, %a : i1
    linalg.yield %0 : i1
  } -> tensor<i1>
  func.return %r : tensor<i1>
}

func.func @all(%x: tensor<?xi1>, %s: tensor<i1>) -> tensor<i1> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xi1>) outs(%s : tensor<i1>) {
  ^bb0(%a: i1, %acc: i1):
    %0 = arith.andi %acc, %a : i1
    linalg.yield %0 : i1
  } -> tensor<i1>
  func.return %r : tensor<i1>
}

%x = dist.store "x" : !dist.store<5xi64>
%even = dist.store "even" : !dist.store<5xi1>
%any = dist.store "any" : !dist.store<i1>
%all = dist.store "all" : !dist.store<i1>
dist.launch @even<[3]>(%x: read #dist.tiling<[2]>, %even: write #dist.tiling<[2]>) : (!dist.store<5xi64>, !dist.store<5xi1>)
dist.launch @any<[3]>(%even: read #dist.tiling<[2]>, %any: reduce<or> #dist.none) : (!dist.store<5xi1>, !dist.store<i1>)
dist.launch @all<[3]>(%even: read #dist.tiling<[2]>, %all: reduce<and> #dist.none) : (!dist.store<5xi1>, !dist.store<i1>)
