"""Turn a pickle that holds more than tensors, such as a Lightning checkpoint, into safetensors.

``python -m braindino.encoders.convert BrainIAC.ckpt BrainIAC.safetensors --unwrap state_dict``

A pickle can run any code when it is read, so the pipeline reads none; this runs once, by hand, in
a process of its own. Even here nothing of the file is run: only tensors are rebuilt, and every
other object becomes an inert stand-in.
"""

import argparse
import collections
import pickle
import sys
from types import ModuleType

import torch
from safetensors.torch import save_file

from braindino.errors import BadInput
from braindino.files import written_whole

# What a tensor is rebuilt by; storages are recognised by torch itself.
REBUILT = {
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    ("torch", "device"): torch.device,
    ("torch", "Size"): torch.Size,
    ("collections", "OrderedDict"): collections.OrderedDict,
}


class Inert:
    """Stands for an object that is not rebuilt; takes whatever a pickle does to it."""

    def __init__(self, *_args, **_kwargs):
        """Take the arguments of whatever it stands for."""

    def __setstate__(self, _state):
        pass

    def __setitem__(self, _key, _value):
        pass

    def append(self, _item):
        """Take an item of a list."""

    extend = append


class TensorsOnly(pickle.Unpickler):
    """An unpickler that finds nothing but what rebuilds tensors."""

    def find_class(self, module, name):
        """Return a torch storage, what rebuilds a tensor, or the stand-in for all else."""
        if module in ("torch", "torch.storage") and name.endswith("Storage"):
            return getattr(torch, name)
        return REBUILT.get((module, name), Inert)


def convert(source, target, unwrap=None):
    """Write the tensors of a pickle as safetensors.

    Parameters
    ----------
    source : path
        What `torch.save` wrote.
    target : path
        The safetensors file.
    unwrap : str, optional
        Key that holds the weights, e.g. state_dict.

    Returns
    -------
    int
        Tensors written.

    Raises
    ------
    BadInput
        When there are none where `unwrap` says.
    """
    reader = ModuleType("tensors_only")  # what torch.load asks of a module like pickle
    reader.Unpickler, reader.load = TensorsOnly, lambda stream, **_: TensorsOnly(stream).load()
    content = torch.load(source, map_location="cpu", weights_only=False, pickle_module=reader)
    state = content.get(unwrap) if unwrap and isinstance(content, dict) else content
    held = state if isinstance(state, dict) else {}
    tensors = {k: v.detach().contiguous() for k, v in held.items() if torch.is_tensor(v)}
    if not tensors:
        keys = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise BadInput(f"{source}: no tensors there; it holds: {keys}. Name one with --unwrap.")
    with written_whole(target) as part:
        # Tensors that share memory are copied: safetensors refuses them.
        save_file({key: tensor.clone() for key, tensor in tensors.items()}, part)
    return len(tensors)


def main(arguments=None):
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="the pickle")
    parser.add_argument("target", help="the .safetensors file to write")
    parser.add_argument("--unwrap", help="key that holds the weights, e.g. state_dict")
    given = parser.parse_args(arguments)
    try:
        count = convert(given.source, given.target, given.unwrap)
    except (BadInput, OSError, RuntimeError, pickle.UnpicklingError) as error:
        sys.exit(f"convert: {error}")
    print(f"{given.target}: {count} tensors")


if __name__ == "__main__":
    main()
