"""Protocol of the statistics (paper section 4.7)."""

from typing import Literal

from braindino.settings.base import Strict, assumed, stated


class Statistics(Strict):
    """Resampling and significance."""

    alpha: float = stated(0.05, "4.7", "two-sided significance threshold", gt=0, lt=1)
    bootstrap: int = assumed(
        2000,
        "stated for kNN alone (§4.7); used for every bootstrap",
        "resamples of the test subjects",
        ge=1,
    )
    reference: str = stated("braindino", "4.7", "encoder to which the others are compared")
    splits: Literal["student", "bootstrap"] = stated(
        "student",
        "4.3.2",
        "of a cross-validation: Student-t interval and paired t-test over its splits; bootstrap: "
        "of the pooled predictions, as §4.7 has it for ADNI too",
    )
