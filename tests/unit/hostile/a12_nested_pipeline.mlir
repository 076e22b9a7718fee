// ARGS: --pass-pipeline=builtin.module(func.func(cse))
