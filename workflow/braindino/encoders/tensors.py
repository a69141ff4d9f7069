"""Read a file of weights: bare tensors, and nothing in it that could be run."""

from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from braindino.errors import BadInput

SHOWN = 12  # keys that a message lists


def read_tensors(path, unwrap=None):
    """Read a dict of tensors; nothing in the file is run.

    Parameters
    ----------
    path : path
    unwrap : str, optional
        Key of a pickled dict that holds them; a safetensors file holds nothing else.

    Raises
    ------
    BadInput
        When the file cannot be read so.
    """
    if Path(path).suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise BadInput(f"{path}: is not a safetensors file ({error}).") from error
    content = _unpickle(path)
    if unwrap:
        if not (isinstance(content, dict) and unwrap in content):
            raise BadInput(
                f"{path}: there is no '{unwrap}' in it, which 'weights.unwrap' of the card names; "
                f"it holds: {_some(content)}."
            )
        content = content[unwrap]
    return _only_tensors(content, path)


def _unpickle(path):
    with Path(path).open("rb") as stream:
        if stream.read(1) not in (b"P", b"\x80"):  # of a zip archive, of a bare pickle
            raise BadInput(f"{path}: is not a file of torch.save; download it again.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        target = Path(path).with_suffix(".safetensors")
        raise BadInput(
            f"{path}: holds more than tensors, and a pickle can run any code; convert it once, by "
            f"`python -m braindino.encoders.convert {path} {target}`, and name the result in the "
            f"card."
        ) from error
    except (RuntimeError, EOFError) as error:
        raise BadInput(f"{path}: is damaged or cut short; download it again.") from error


def _only_tensors(content, path):
    if isinstance(content, dict):
        nested = [k for k, v in content.items() if not isinstance(v, torch.Tensor)]
    if not isinstance(content, dict) or nested:
        raise BadInput(
            f"{path}: its keys are not those of weights but {_some(content)}; name the key that "
            f"holds the weights as 'weights.unwrap' in the card."
        )
    return dict(content)


def few(names):
    """Return names for a message, the first dozen of them."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _some(content):
    keys = list(content) if isinstance(content, dict) else [type(content).__name__]
    return few([str(key) for key in keys])
