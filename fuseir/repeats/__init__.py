"""Repeated fragments of a sequence of tokens: found, cut, and counted. Knows nothing of tasks or IR; loads NumPy on first use."""
