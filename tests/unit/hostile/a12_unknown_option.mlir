// ARGS: -p cse,canonicalize{depth=3}
