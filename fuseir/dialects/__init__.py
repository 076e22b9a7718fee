"""The IR: what a distributed program says."""
