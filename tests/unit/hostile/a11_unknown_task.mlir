%x = dist.store "x" : !dist.store<16xf64>
%z = dist.store "z" : !dist.store<16xf64>
dist.launch @nosuch<[4]>(%x: read #dist.tiling<[4]>, %z: write #dist.tiling<[4]>) : (!dist.store<16xf64>, !dist.store<16xf64>)
