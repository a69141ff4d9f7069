"""Load published weights: every key of the file and of the network is accounted for."""

import re

import torch

from braindino.errors import BadInput
from braindino.tensors import check_file, few, load_state, read_tensors

CHANGED = 0.99  # least share of the parameters that a load must change


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
    check_file(path, weights, "the encoder's card")
    state, unexpected = _rename(read_tensors(path, weights.unwrap), weights)
    before = {k: p.detach().clone() for k, p in network.named_parameters() if p.requires_grad}
    fit = f"{path}: does not fit encoder {name}"
    load_state(network, state, fit, _matcher(weights.missing), unexpected)
    _check_changed(network, before, state, path, name)


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
            f"the load; unchanged: {few(same)}."
        )
