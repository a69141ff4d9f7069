"""Protocol of full fine-tuning (paper sections 2.7 and 4.4)."""

from braindino.settings.base import Strict, assumed, stated

SUFFIX = "_full_ft"  # after the encoder's name, as the published numbers have it


class Finetune(Strict):
    """What differs from the frozen heads: the encoder is trained, too."""

    tasks: list[str] = stated(
        ["cls_adni_cn_ad", "cls_adni_cn_mci", "age", "seg_brats2021"],
        "2.7",
        "tasks, of those that the run lists; a GPU's work, empty for none",
    )
    ratios: list[float] = stated([0.1, 1.0], "4.4", "shares of the training subjects with labels")
    seeds: int = assumed(1, "the paper reports one run", "label subsets a ratio", ge=1)
    learning_rate: float = assumed(
        1e-5, "a tenth of the head's, as not to forget", "rate of the encoder's last layer", gt=0
    )
    layer_decay: float = assumed(
        0.9, "as in pretraining (§4.2)", "rate of a layer relative to the one above it", gt=0, le=1
    )
    batch: int = assumed(4, "the released runners'", "volumes a step, of all processes", ge=1)
