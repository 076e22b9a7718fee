// ARGS: -p cse{x=1
