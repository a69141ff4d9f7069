"""Protocol of the corpus stage (paper sections 2.1 and 4.1.1)."""

from typing import Annotated

from pydantic import Field

from braindino.settings.base import Strict, assumed, stated


class Corpus(Strict):
    """Splits and label subsets."""

    label_ratios: list[float] = stated(
        [0.1, 0.2, 0.4, 0.6, 0.8, 1.0], "2.1", "shares of the training subjects with labels"
    )
    label_seeds: int = assumed(
        5,
        "the paper reports one run; its reviewer asked for several",
        "label subsets drawn per ratio",
        ge=1,
    )
    test_fractions: dict[str, Annotated[float, Field(gt=0, lt=1)]] = assumed(
        {},
        "the cards hold the paper's own sizes; a small cohort needs more",
        "by task: share of its subjects held out for test, in place of its card's sizes",
    )
    strata_bins: int = assumed(
        5,
        "quintiles keep the age span in every subset",
        "quantile bins by which a regression target is stratified",
        ge=1,
    )
    pretraining_modalities: list[str] = stated(
        ["T1w", "T1c", "T2w", "FLAIR"], "Fig. 1a", "contrasts that enter pretraining"
    )
    min_slices: int = assumed(
        15,
        "localizers hold 3 to 11 slices; 5 mm over a brain takes more than 20",
        "least slices of a DICOM series",
        ge=1,
    )
    same_content: float = assumed(
        0.97,
        "copies, even clipped to 8 bits, stay above 0.99; 30 real people below 0.8, phantoms on "
        "one atlas below 0.9",
        "correlation of two fingerprints above which they are one volume",
        gt=0,
        le=1,
    )
