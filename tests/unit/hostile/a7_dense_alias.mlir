!t = tensor<100000x100000xi8>
%0 = arith.constant dense<0> : !t
