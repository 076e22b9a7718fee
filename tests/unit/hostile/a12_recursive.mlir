// ARGS: -p builtin.module(builtin.module(cse))
