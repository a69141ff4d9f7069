"""Read vectors and patch tokens from what a network's modules put out.

An output is [batch, dim], tokens [batch, prefix + patches, dim] or a map [batch, dim, *grid]; of
a tuple or a list, the first.
"""

import torch

from braindino.errors import BadInput

DEPTHS = {"early": 2, "mid": 6, "late": 11}  # blocks of 12, counted from 0 (§4.6)


def layer_modules(network, card):
    """Name the modules that stand for the depths: the card's, or blocks at the paper's depths."""
    if card.layers:
        return card.layers.model_dump()
    last = len(getattr(network, "blocks", [])) - 1
    scaled = {depth: round(last * block / DEPTHS["late"]) for depth, block in DEPTHS.items()}
    return {depth: f"blocks.{block}" for depth, block in scaled.items()} if last >= 0 else {}


def watch(network, name, module, card, keep):
    """Call `keep(name, output)` whenever a module of the network has run.

    Raises
    ------
    BadInput
        When the network has no such module.
    """
    try:
        watched = network.get_submodule(module)
    except AttributeError:
        has = ", ".join(key for key, _ in network.named_children())
        raise BadInput(
            f"encoder {card.name}: '{name}' of its card names the module '{module}', which "
            f"{type(network).__name__} lacks; it holds: {has}."
        ) from None
    watched.register_forward_hook(lambda _module, _input, output: keep(name, output))


def first(output):
    """Return the tensor of an output, the first one where there are several."""
    while isinstance(output, tuple | list):
        output = output[0]
    return output


def pool(output, card):
    """Summarise an output as one vector an image, by the card's embedding: float32 [batch, dim]."""
    output = first(output)
    if output.ndim > 3:
        _refuse_class_token(card)
        return output.flatten(2).float().mean(2)
    if output.ndim == 3 and card.embedding == "mean":
        return output[:, card.prefix_tokens :].float().mean(1)
    vectors = output if output.ndim == 2 else output[:, 0]
    return vectors.to(torch.float32, copy=True)  # a view would keep all tokens in memory


def patches(output, card, shape):
    """Return patch tokens on their grid, or None where an output is one vector an image.

    Parameters
    ----------
    output : Tensor, or tuple or list of them
    card : braindino.settings.encoders.EncoderCard
    shape : tuple of int
        Of the image.

    Returns
    -------
    Tensor float32 [batch, *grid, dim] or None

    Raises
    ------
    BadInput
        When the tokens do not fill the grid of the card.
    """
    output = first(output).float()
    if output.ndim == 2:
        return None
    if output.ndim > 3:
        return output.movedim(1, -1)
    grid = [side // card.patch for side in shape]
    tokens = output[:, card.prefix_tokens :]
    if tokens.shape[1] != torch.tensor(grid).prod():
        raise BadInput(
            f"encoder {card.name}: {tokens.shape[1]} patch tokens do not fill the grid "
            f"{' x '.join(map(str, grid))} of its input {' x '.join(map(str, shape))}; mend "
            f"'patch' or 'prefix_tokens' in its card."
        )
    return tokens.unflatten(1, grid)


def axial_planes(count, axial_range, downwards=False):
    """Return the planes whose centres lie in a range of shares, from below; at least one.

    Parameters
    ----------
    count : int
        Planes of the grid.
    axial_range : pair of float
    downwards : bool
        Whether plane 0 is the uppermost.

    Returns
    -------
    Tensor of int
    """
    low, high = axial_range
    centres = (torch.arange(count) + 0.5) / count
    centres = 1 - centres if downwards else centres
    inside = (centres >= low) & (centres <= high)
    middle = (centres - (low + high) / 2).abs().argmin()
    return inside.nonzero()[:, 0] if inside.any() else middle[None]


def _refuse_class_token(card):
    if card.embedding == "cls":
        raise BadInput(
            f"encoder {card.name}: a feature map has no class token; set 'embedding: mean' in "
            f"its card."
        )
