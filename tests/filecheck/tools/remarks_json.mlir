// RUN: fuseir-opt %s -p fuse-tasks --remark-format=json -o /dev/null 2>&1 | filecheck %s
// RUN: fuseir-opt %s -p fuse-tasks --remark-format=json --remarks-filter=nothing -o /dev/null 2>&1 | filecheck %s --check-prefix=NONE
// RUN: fuseir-opt %s -p fuse-tasks --remark-format=json --remarks-output-file=%t.json -o /dev/null && python -c "import json; print([remark['code'] for remark in json.load(open('%t.json'))])" | filecheck %s --check-prefix=CODES

// CHECK:      [
// CHECK-NEXT:   {
// CHECK-NEXT:     "kind": "missed",
// CHECK-NEXT:     "code": "FIR-N102",
// CHECK-NEXT:     "pass": "fuse-tasks",
// CHECK-NEXT:     "message": "'@copy' is not fused with '@copy' (partition-mismatch(true)): store %z is 'write' through tiling<[2]>, then 'read' through tiling<[2] + [1]>",
// CHECK-NEXT:     "location": {
// CHECK-NEXT:       "file": "{{.*}}remarks_json.mlir",
// CHECK-NEXT:       "line": {{[0-9]+}},
// CHECK-NEXT:       "column": 1
// CHECK-NEXT:     },
// CHECK-NEXT:     "tasks": [
// CHECK:            "name": "copy",
// CHECK:            "name": "copy",
// CHECK:          "store": "%z",
// CHECK-NEXT:     "partitions": [
// CHECK-NEXT:       "tiling<[2]>",
// CHECK-NEXT:       "tiling<[2] + [1]>"
// CHECK-NEXT:     ],
// CHECK-NEXT:     "suggestion": "use one view and one partition for the write and what follows it"
// NONE:  {{^}}[]{{$}}
// CODES: ['FIR-N102']
!s = !dist.store<8xf64>
#t = #dist.tiling<[2]>
#u = #dist.tiling<[2] + [1]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%xe: f64, %ye: f64):
    linalg.yield %xe : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)
dist.launch @copy<[4]>(%z: read #u, %y: write #u) : (!s, !s)
dist.release %z : !s
