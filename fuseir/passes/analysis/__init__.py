"""Pure functions over the IR: no edits."""
