// ARGS: -p cse,$(id)
