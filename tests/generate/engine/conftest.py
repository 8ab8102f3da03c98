"""One thread for the compiled loops: in models so small a second one only waits, and takes the core from others."""

import os
import sys

if "numba" not in sys.modules:  # which reads it once
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
