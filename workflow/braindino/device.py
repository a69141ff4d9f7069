"""Choose the torch device of a job."""

import fcntl
import tempfile
from pathlib import Path

import torch

_HELD = []  # locks of this process, until it ends


def choose_device(name, index=None):
    """Return the torch device called `name`; 'auto' is CUDA where there is one, else the CPU.

    Of several GPUs, take the one with the given index, or else one that no other job has taken.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cuda":
        return torch.device(name)
    if index is None:
        index = _free_gpu(torch.cuda.device_count())
    torch.cuda.set_device(index)
    return torch.device("cuda", index)


def _free_gpu(count, folder=None):
    """Take the first of a machine's GPUs that no other job holds; 0 where a scheduler gave one."""
    folder = Path(folder or tempfile.gettempdir())
    for index in range(count) if count > 1 else ():
        lock = _open(folder / f"braindino-gpu-{index}.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        _HELD.append(lock)
        return index
    return 0


def _open(path):
    """Open a file of locks, which another user may have made: a lock needs no right to write."""
    try:
        return path.open("a")
    except PermissionError:
        return path.open()


def has_bf16(device):
    """Whether a torch device multiplies bfloat16 matrices by instructions of its own."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return any(has for name, has in torch.cpu.get_capabilities().items() if "bf16" in name)
