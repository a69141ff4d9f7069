"""AdamW with a learning rate of its own for every layer (paper section 4.2)."""

import torch

from braindino.pretrain.schedules import learning_rate


def build_optimiser(student, settings):
    """Return AdamW over the student's parameter groups; rates are set by `set_rates`."""
    return torch.optim.AdamW(
        parameter_groups(student, settings), lr=0.0, betas=settings.betas, fused=True
    )


def parameter_groups(student, settings):
    """Group parameters by rate multiplier, weight decay and freezing.

    Parameters
    ----------
    student : Network
        Backbone and heads.
    settings : Optimisation
        Layer decay, patch-embedding multiplier and weight decay.

    Returns
    -------
    list of dict
        Groups for a torch optimiser, with the keys `multiplier` and `prototypes` added.
    """
    groups = {}
    for name, parameter in student.named_parameters():
        key = (
            rate_multiplier(name, student.backbone.depth, settings),
            settings.weight_decay if is_decayed(name) else 0.0,
            name.endswith("prototypes.weight"),
        )
        groups.setdefault(key, []).append(parameter)
    return [
        {"params": params, "multiplier": multiplier, "weight_decay": decay, "prototypes": last}
        for (multiplier, decay, last), params in groups.items()
    ]


def rate_multiplier(name, depth, settings):
    """Return a parameter's share of the rate: decay^(layers above it), heads and final norm 1.

    Tokens and patch embedding are the layer below the first block.
    """
    module, _, rest = name.removeprefix("backbone.").removeprefix("vit.").partition(".")
    if not name.startswith("backbone.") or module == "norm":
        return 1.0
    layer = int(rest.split(".")[0]) + 1 if module == "blocks" else 0
    patch = settings.patch_embed_multiplier if module == "patch_embed" else 1.0
    return patch * settings.layer_decay ** (depth + 1 - layer)


def is_decayed(name):
    """Whether weight decay applies: not to biases, norms and layer scales; to tokens it does."""
    return not (name.endswith(".bias") or "norm" in name or "gamma" in name)


def set_rates(optimiser, settings, iteration):
    """Set every group's rate for an iteration, and return the rate before multipliers."""
    rate = learning_rate(settings, iteration)
    frozen = iteration < settings.freeze_last_layer
    for group in optimiser.param_groups:
        group["lr"] = 0.0 if group["prototypes"] and frozen else rate * group["multiplier"]
    return rate
