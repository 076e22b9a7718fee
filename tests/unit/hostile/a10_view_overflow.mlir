%x = dist.store "x" : !dist.store<16xf64>
%v = dist.view %x (d0) -> (d0 * 9223372036854775807) : !dist.store<16xf64> -> !dist.view<16xf64>
