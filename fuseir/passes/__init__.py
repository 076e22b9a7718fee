"""Transformations of the IR, one file a pass."""
