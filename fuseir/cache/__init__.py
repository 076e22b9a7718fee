"""Compiled kernels on disk, for the next process: ``entry`` is their format, ``folder`` where they are safe, ``disk`` the cache.

It knows nothing of kernels: keys and contents are made by ``fuseir/codegen/llvm``. Described in docs/caching.md.
"""

from fuseir.cache.disk import CacheInfo, DiskCache, cache_of
from fuseir.cache.entry import Entry

__all__ = ["CacheInfo", "DiskCache", "Entry", "cache_of"]
