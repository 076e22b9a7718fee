"""Traces: which fragments of the stream of launches repeat, and where the stream is cut so that they do (docs/tracing.md)."""
