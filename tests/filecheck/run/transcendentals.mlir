// RUN: fuseir-run %s --in x=random:3 --compare --ulp 4 | filecheck %s
// RUN: fuseir-run %s --in x=linspace:-3:3 --compare --threads 2 | filecheck %s

// Transcendentals are within 4 ulp of the reference, which is all but exact.

// CHECK:      x: equal
// CHECK-NEXT: exp: {{equal|.* differ, by [1-4] ulp.*}}
// CHECK-NEXT: log1p: {{equal|.* differ, by [1-4] ulp.*}}
// CHECK-NEXT: sin: {{equal|.* differ, by [1-4] ulp.*}}
// CHECK-NEXT: tanh: {{equal|.* differ, by [1-4] ulp.*}}
// CHECK-NEXT: erf: {{equal|.* differ, by [1-4] ulp.*}}
// CHECK-NEXT: cbrt: {{equal|.* differ, by [1-4] ulp.*}}

func.func @exp(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    %0 = math.exp %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

func.func @log1p(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    %0 = math.log1p %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

func.func @sin(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    %0 = math.sin %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

func.func @tanh(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    %0 = math.tanh %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

func.func @erf(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    %0 = math.erf %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

func.func @cbrt(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    %0 = math.cbrt %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}

%x = dist.store "x" : !dist.store<1000xf64>
%exp = dist.store "exp" : !dist.store<1000xf64>
dist.launch @exp<[4]>(%x: read #dist.tiling<[256]>, %exp: write #dist.tiling<[256]>) : (!dist.store<1000xf64>, !dist.store<1000xf64>)
%log1p = dist.store "log1p" : !dist.store<1000xf64>
dist.launch @log1p<[4]>(%x: read #dist.tiling<[256]>, %log1p: write #dist.tiling<[256]>) : (!dist.store<1000xf64>, !dist.store<1000xf64>)
%sin = dist.store "sin" : !dist.store<1000xf64>
dist.launch @sin<[4]>(%x: read #dist.tiling<[256]>, %sin: write #dist.tiling<[256]>) : (!dist.store<1000xf64>, !dist.store<1000xf64>)
%tanh = dist.store "tanh" : !dist.store<1000xf64>
dist.launch @tanh<[4]>(%x: read #dist.tiling<[256]>, %tanh: write #dist.tiling<[256]>) : (!dist.store<1000xf64>, !dist.store<1000xf64>)
%erf = dist.store "erf" : !dist.store<1000xf64>
dist.launch @erf<[4]>(%x: read #dist.tiling<[256]>, %erf: write #dist.tiling<[256]>) : (!dist.store<1000xf64>, !dist.store<1000xf64>)
%cbrt = dist.store "cbrt" : !dist.store<1000xf64>
dist.launch @cbrt<[4]>(%x: read #dist.tiling<[256]>, %cbrt: write #dist.tiling<[256]>) : (!dist.store<1000xf64>, !dist.store<1000xf64>)
