"""Files of weights: bare tensors are read, nothing is run, and every key is accounted for."""

from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from braindino.errors import BadInput
from braindino.files import sha256

SHOWN = 12  # keys that a message lists


def read_file(path):
    """Read a file of weights, without running anything that it holds.

    Parameters
    ----------
    path : path
        safetensors, or what `torch.save` wrote.

    Returns
    -------
    dict, or whatever else a pickle holds

    Raises
    ------
    BadInput
        When it cannot be read so.
    """
    if Path(path).suffix != ".safetensors":
        return _unpickle(path)
    try:
        return load_file(path)
    except SafetensorError as error:
        raise BadInput(f"{path}: not a readable weight file ({error}); get it again.") from error


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
    content = read_file(path)
    if unwrap and Path(path).suffix != ".safetensors":
        if not (isinstance(content, dict) and unwrap in content):
            raise BadInput(
                f"{path}: there is no '{unwrap}' in it, which 'weights.unwrap' of the card names; "
                f"it holds: {_some(content)}."
            )
        content = content[unwrap]
    return only_tensors(content, path)


def only_tensors(content, path):
    """Return what a file holds, or raise BadInput unless it is a dict of tensors."""
    if not isinstance(content, dict) or not all(map(torch.is_tensor, content.values())):
        raise BadInput(
            f"{path}: its keys are not those of weights but {_some(content)}; name the key that "
            f"holds the weights as 'weights.unwrap' in the card."
        )
    return dict(content)


def check_file(path, weights, card):
    """Compare a file's size and checksum with those on a card, where that gives them.

    Parameters
    ----------
    path : path
    weights : braindino.settings.encoders.Weights
    card : str
        What the card is, for the message.

    Raises
    ------
    BadInput
        When they differ.
    """
    for what, wanted, found in (
        ("size", weights.size, Path(path).stat().st_size),
        ("checksum", weights.sha256, weights.sha256 and sha256(path)),
    ):
        if wanted and found != wanted:
            raise BadInput(
                f"{path}: its {what} is not the one in {card}; download the file again: "
                f"{weights.how_to_get}"
            )


def load_state(network, state, what, optional=lambda _key: False, unexpected=()):
    """Load tensors into a network, every key accounted for; a partial load is a silent lie.

    Parameters
    ----------
    network : torch.nn.Module
    state : dict of Tensor
    what : str
        The file and what it is to fit, for the message.
    optional : callable
        Whether the file may lack a key of the network.
    unexpected : sequence of str
        Keys of the file already known to be nobody's.

    Raises
    ------
    BadInput
        When a key is missing, unexpected or of another shape; with the list.
    """
    own = network.state_dict()
    problems = {
        "missing": [k for k in own if k not in state and not optional(k)],
        "unexpected": [*unexpected, *(k for k in state if k not in own)],
        "of another shape": [
            f"{k} {list(state[k].shape)} instead of {list(own[k].shape)}"
            for k in own
            if k in state and state[k].shape != own[k].shape
        ],
    }
    if any(problems.values()):
        listed = "; ".join(f"{len(k)} keys {what}: {few(k)}" for what, k in problems.items() if k)
        raise BadInput(f"{what}: {listed}.")
    network.load_state_dict(state, strict=False)


def _unpickle(path):
    with Path(path).open("rb") as stream:
        if stream.read(1) not in (b"P", b"\x80"):  # of a zip archive, of a bare pickle
            raise BadInput(
                f"{path}: not a readable weight file (torch.save did not write it); get it again."
            )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        target = Path(path).with_suffix(".safetensors")
        raise BadInput(
            f"{path}: not a readable weight file (it holds more than tensors, and a pickle can run "
            f"any code); convert it once, by `python -m braindino.encoders.convert {path} "
            f"{target}`, and name the result instead."
        ) from error
    except (RuntimeError, EOFError) as error:
        raise BadInput(
            f"{path}: not a readable weight file (damaged or cut short); get it again."
        ) from error


def few(names):
    """Return names for a message, the first dozen of them."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _some(content):
    keys = list(content) if isinstance(content, dict) else [type(content).__name__]
    return few([str(key) for key in keys])
