// ARGS: --pass-pipeline=builtin.module(cse,canonicalise)
