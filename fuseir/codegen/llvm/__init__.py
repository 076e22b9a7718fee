"""LLVM for the CPU, through llvmlite."""
