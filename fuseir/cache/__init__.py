"""Plans and kernels on disk, for the next process: ``entry`` is the format of files, ``folder`` where they are safe, ``disk`` the cache.

It knows nothing of what it keeps: keys and contents are made by ``fuseir/codegen/llvm`` and ``fuseir/runtime``, on top of what
``environment`` says that everything depends on. Described in docs/caching.md.
"""

from fuseir.cache.disk import CacheInfo, DiskCache, cache_of
from fuseir.cache.entry import Entry

__all__ = ["CacheInfo", "DiskCache", "Entry", "cache_of"]
