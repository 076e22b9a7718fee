func.func @f(%x: tensor<?xf64>) {
  %r = linalg.generic {indexing_maps = [], iterator_types = []} ins(%x : tensor<?xf64>) outs(%x : tensor<?xf64>) {
  ^bb0(%e: f64, %u: f64):
    linalg.yield %e : f64
  } -> tensor<?xf64>
  func.return
}
