dist.release %x : !dist.store<4xf64>
%x = dist.store "x" : !dist.store<4xf64>
