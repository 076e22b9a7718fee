%x = dist.store "x" : !dist.store<4294967296x4294967296xf64>
