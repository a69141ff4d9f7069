"""What the allocator of the C library does with freed memory."""

import ctypes
import os

# Parameters of glibc's mallopt(3), by their numbers in malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory():
    """Keep freed memory for the next tensor, where the C library is glibc; elsewhere do nothing.

    By default a large tensor's pages go back to the system when it is freed, and those of the next
    one come back one fault at a time: a tenth of a training step on a CPU.
    """
    libc = ctypes.CDLL(None) if os.name == "posix" else None
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)  # never
