"""From lowered kernels to machine code."""
