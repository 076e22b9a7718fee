%x = dist.store "x" : !dist.store<16xf64>
%z = dist.store "z" : !dist.store<16xf64>
dist.release %x : !dist.store<16xf64>
dist.release %x : !dist.store<16xf64>
