"""FuseIR side by side with NumPy, numexpr, Numba, JAX, torch and hand-fused C: ``python -m benchmarks.suite`` (docs/benchmarks.md)."""
