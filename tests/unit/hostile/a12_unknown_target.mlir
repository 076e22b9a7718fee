// ARGS: -t mlri
