"""Being here puts this folder on the import path: tests say ``from helpers.… import …``.

Tests compile what they test, and leave the user's cache of kernels alone: it is off, here and in processes that tests start. Tests of the
cache turn it on, in folders of their own.
"""

import os

os.environ["FUSEIR_CACHE"] = "0"
for name in ("FUSEIR_CACHE_DIR", "FUSEIR_CACHE_BYTES", "FUSEIR_CACHE_PROBE"):
    os.environ.pop(name, None)
