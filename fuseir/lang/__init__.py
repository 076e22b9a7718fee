"""The task language: text to kernels."""
