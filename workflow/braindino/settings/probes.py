"""Protocol of the probes (paper sections 4.3, 4.3.2 to 4.3.6 and 4.6)."""

from typing import Literal

from braindino.settings.base import Strict, assumed, stated


class Probes(Strict):
    """The head LayerNorm, Linear + GELU, Linear, its training, and the probes beside it."""

    hidden: int = assumed(
        640,
        "gives the ~0.6 % trainable share of §3 on ViT-B (0.575 %)",
        "hidden units of the head",
        ge=1,
    )
    optimiser: Literal["adam", "adamw"] = stated("adam", "4.3", "optimiser of a head")
    learning_rate: float = stated(1e-4, "4.3", "learning rate", gt=0)
    weight_decay: float = stated(1e-5, "4.3", "weight decay", ge=0)
    dropout: float = assumed(
        0.0, "§4.3.5 alone mentions it", "share of hidden units that are dropped", ge=0, lt=1
    )
    batch: int = assumed(
        4, "the released runners'", "samples a step; the Cox loss takes all at once", ge=1
    )
    epochs: int = assumed(8, "the released runners'", "most epochs of a head", ge=1)
    patience: int = assumed(
        4, "the released runners'", "epochs without a better validation loss before it stops", ge=1
    )
    epoch_steps: int = assumed(
        50,
        "a tenth of a small cohort would see a handful of steps otherwise",
        "least steps of an epoch: few samples are gone through several times",
        ge=1,
    )
    selection: Literal["inner", "paper"] = assumed(
        "inner",
        "the released code picks the epoch on the test set ('paper'), which flatters; we never do",
        "inner: a part of the label subset picks the epoch; paper: the test set does",
    )
    validation_fraction: float = assumed(
        0.2, "not stated", "share of a label subset's subjects that pick the epoch", gt=0, lt=1
    )
    smote_neighbours: int = assumed(
        5, "imbalanced-learn's own", "neighbours of the synthetic minority samples", ge=1
    )
    shuffle_labels: bool = assumed(
        False,
        "a check: with it, every task must fall to chance",
        "deal the training labels anew, at random",
    )
    neighbours: list[int] = stated([1, 3, 5, 10, 20, 50], "4.6", "k of the kNN probe")
    strengths: list[float] = assumed(
        [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0],
        "spans under- to overfitting of some hundred standardised features",
        "path of C (ridge: 1/alpha) of the linear probe",
    )
    leave_out: list[Literal["site", "vendor"]] = assumed(
        ["site", "vendor"], "not in the paper", "groups of which each is held out once"
    )
    planes: list[Literal["coronal", "sagittal"]] = assumed(
        [],
        "not in the paper; each is another pass of every 2-D encoder",
        "planes besides the axial one across which 2-D encoders see a volume",
    )

    def for_task(self, card):
        """Return the protocol of a task's head: with the changes of its card."""
        changes = card.head.model_dump(exclude_none=True) if card.head else {}
        known = {key: value for key, value in changes.items() if key in type(self).model_fields}
        return self.model_copy(update=known)
