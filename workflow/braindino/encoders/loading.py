"""Load published weights: every key of the file and of the network is accounted for."""

import re
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from braindino.errors import BadInput
from braindino.files import sha256

CHANGED = 0.99  # least share of the parameters that a load must change
SHOWN = 12  # keys of each kind that a message lists


def load_weights(network, path, name, weights):
    """Load a file into a freshly built network, as the card says and not otherwise.

    Parameters
    ----------
    network : torch.nn.Module
        With the weights it was built with.
    path : path
        safetensors, or what `torch.save` wrote of a dict of tensors.
    name : str
        The encoder's, for messages.
    weights : braindino.settings.encoders.Weights

    Raises
    ------
    BadInput
        When the file is another one than the card's, holds more than tensors, a key is missing,
        unexpected or of another shape, or too few parameters differ from before.
    """
    _check_file(path, weights)
    state, unexpected = _rename(read_tensors(path, weights.unwrap), weights)
    before = {k: p.detach().clone() for k, p in network.named_parameters() if p.requires_grad}
    own = network.state_dict()
    optional = _matcher(weights.missing)
    problems = {
        "missing": [k for k in own if k not in state and not optional(k)],
        "unexpected": unexpected + [k for k in state if k not in own],
        "of another shape": [
            f"{k} {list(state[k].shape)} instead of {list(own[k].shape)}"
            for k in own
            if k in state and state[k].shape != own[k].shape
        ],
    }
    if any(problems.values()):
        raise BadInput(f"{path}: does not fit encoder {name}: {_listed(problems)}.")
    network.load_state_dict(state, strict=False)
    _check_changed(network, before, state, path, name)


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


def _some(content):
    keys = list(content) if isinstance(content, dict) else [type(content).__name__]
    return _few([str(key) for key in keys])


def _few(names):
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _listed(problems):
    return "; ".join(f"{len(k)} keys {what}: {_few(k)}" for what, k in problems.items() if k)


def _check_file(path, weights):
    size = Path(path).stat().st_size
    if weights.size and size != weights.size:
        raise BadInput(
            f"{path}: it has {size:,} bytes and the card expects {weights.size:,}; download it "
            f"again: {weights.how_to_get}"
        )
    if weights.sha256 and sha256(path) != weights.sha256:
        raise BadInput(
            f"{path}: its checksum is not the one in the encoder's card; download the file again: "
            f"{weights.how_to_get}"
        )


def _matcher(expressions):
    return re.compile("|".join(f"(?:{e})" for e in expressions) or r"(?!)").fullmatch


def _rename(state, weights):
    """Return the encoder's own tensors under the network's keys, and the keys nobody expects."""
    unused, zero = _matcher(weights.unused), _matcher(weights.zero)
    own, unexpected = {}, []
    for key, value in state.items():
        start = re.match(weights.prefix, key)
        if unused(key) or (zero(key) and not value.any()):
            continue
        if not start:
            unexpected.append(key)
            continue
        renamed = key[start.end() :]
        for expression, replacement in weights.rename.items():
            renamed = re.sub(expression, replacement, renamed)
        if renamed in own:
            unexpected.append(f"{key} (a second {renamed})")
        own[renamed] = value
    return own, unexpected


def _check_changed(network, before, state, path, name):
    """Refuse a load after which the network is mostly what it was: it loaded nothing."""
    after = dict(network.named_parameters())
    counted = [key for key in before if key in state]
    total = sum(before[key].numel() for key in counted)
    changed = sum((after[key] != before[key]).sum().item() for key in counted)
    if changed < CHANGED * total:
        same = [key for key in counted if torch.equal(after[key], before[key])]
        raise BadInput(
            f"{path}: of encoder {name}'s parameters only {changed / total:.1%} differ from before "
            f"the load; unchanged: {_few(same)}."
        )
