"""Capture of launches, and the execution of plans."""
