// RUN: fuseir-run %s --in x=arange --in s=zeros --print reversed --print odd --print row --print s --backend ref | filecheck %s
// RUN: fuseir-run %s --in x=arange --in s=zeros --print reversed --print odd --print row --print s --backend cpu | filecheck %s

// CHECK:      reversed = [7, 6, 5, 4, 3, 2, 1, 0]
// CHECK-NEXT: odd = [1, 3, 5, 7]
// CHECK-NEXT: row = [5, 5, 5]
// CHECK-NEXT: s = [[0, 7, 0], [0, 5, 0], [0, 3, 0], [0, 1, 0]]

#t = #dist.tiling<[2]>

func.func @copy(%x: tensor<?xi32>, %z: tensor<?xi32>) -> tensor<?xi32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xi32>) outs(%z : tensor<?xi32>) {
  ^bb0(%a: i32, %b: i32):
    linalg.yield %a : i32
  } -> tensor<?xi32>
  func.return %r : tensor<?xi32>
}

%x = dist.store "x" : !dist.store<8xi32>
%reversed = dist.store "reversed" : !dist.store<8xi32>
%odd = dist.store "odd" : !dist.store<4xi32>
%row = dist.store "row" : !dist.store<3xi32>
%s = dist.store "s" : !dist.store<4x3xi32>

// Backwards, every other element, one element repeated, and a column written from the bottom up.
%v = dist.view %x (d0) -> (-d0 + 7) : !dist.store<8xi32> -> !dist.view<8xi32>
dist.launch @copy<[4]>(%v: read #t, %reversed: write #t) : (!dist.view<8xi32>, !dist.store<8xi32>)
%w = dist.view %x (d0) -> (d0 * 2 + 1) : !dist.store<8xi32> -> !dist.view<4xi32>
dist.launch @copy<[2]>(%w: read #t, %odd: write #t) : (!dist.view<4xi32>, !dist.store<4xi32>)
%b = dist.view %x (d0) -> (5) : !dist.store<8xi32> -> !dist.view<3xi32>
dist.launch @copy<[2]>(%b: read #t, %row: write #t) : (!dist.view<3xi32>, !dist.store<3xi32>)
%c = dist.view %s (d0) -> (-d0 + 3, 1) : !dist.store<4x3xi32> -> !dist.view<4xi32>
dist.launch @copy<[2]>(%odd: read #t, %c: write #t) : (!dist.store<4xi32>, !dist.view<4xi32>)
