"""The CUDA executor: kernels through NVRTC, plans as CUDA graphs (docs/cuda.md).

The way of a plan: ``executor`` compiles the kernels and makes the steps, ``calls`` says what a launch becomes on a GPU, ``program`` lays
out the launches of a batch and their parameters, ``batches`` runs them, ``graphs`` as one CUDA graph. ``device`` is what all of
it runs on; ``cupy_device`` is a GPU by way of CuPy, and ``driver`` the few functions of CUDA's driver that CuPy does not have.
"""
