// ARGS: -p fuse-task
