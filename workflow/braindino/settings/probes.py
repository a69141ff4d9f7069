"""Protocol of the probes (paper sections 4.3 and 4.3.2 to 4.3.6)."""

from braindino.settings.base import Strict, assumed, stated


class Probes(Strict):
    """The head LayerNorm, Linear + GELU, Linear and its training."""

    hidden: int = assumed(
        640,
        "gives the ~0.6 % trainable share of §3 on ViT-B (0.575 %)",
        "hidden units of the head",
        ge=1,
    )
    learning_rate: float = stated(1e-4, "4.3", "Adam learning rate", gt=0)
    weight_decay: float = stated(1e-5, "4.3", "Adam weight decay", ge=0)
    steps: int = assumed(
        1500,
        "training length is not stated; the inner validation split picks the step",
        "most full-batch steps of a head",
        ge=1,
    )
    patience: int = assumed(
        300, "not stated", "steps without a better validation loss before a head stops", ge=1
    )
    validation_fraction: float = assumed(
        0.2,
        "the released code selects on the test set; we never do",
        "share of a label subset's subjects held out to pick the step",
        gt=0,
        lt=1,
    )
