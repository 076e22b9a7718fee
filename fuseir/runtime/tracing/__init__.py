"""Traces: repeating fragments of the stream of launches, found and replayed without annotations (docs/tracing.md)."""
