"""Protocol of the representation analyses (paper sections 2.9 and 4.6)."""

from typing import Literal

from pydantic import Field

from braindino.settings.base import Strict, assumed, stated


class CKA(Strict):
    """Alignment of the reference encoder with the others, layer by layer."""

    cohorts: dict[str, list[str]] = stated(
        {"IXI": ["T1w", "T2w"], "BraTS2021": ["T1w", "T1c", "T2w", "FLAIR"]},
        "4.6",
        "cohorts, of those that the run lists, and their contrasts",
    )
    volumes: int = stated(
        1000,
        "4.6",
        "volumes of a cohort: the first in order of subject, without shuffling",
        ge=4,
    )
    bootstrap: int = assumed(1000, "the paper gives no interval", "resamples of the subjects", ge=1)


class Similarity(Strict):
    """Maps of how alike a slice's tokens are to the token of a reference point."""

    cohort: str = stated("BraTS2021", "2.9", "cohort of the subject")
    subject: str | None = assumed(
        None,
        "'a representative BraTS subject' (Fig. 6)",
        "subject, as in the manifest; null: the first of the cohort",
    )
    contrast: str = assumed(
        "T1c", "not stated; it tells enhancing tumour, CSF and white matter apart", "contrast"
    )
    slice: int | None = assumed(
        None,
        "'a fixed slice' (§4.6)",
        "axial plane, counted from below among the evaluation's; null: the one with most tumour "
        "core, of a healthy brain the one at 55 % of its height",
    )
    points: dict[Literal["tumour", "csf", "white_matter"], tuple[int, int]] = assumed(
        {},
        "'anatomically defined' (§4.6)",
        "row and column of a reference point in the evaluation's slice; what is left out lies "
        "deepest in the tumour core of the label map, or in the tissue class of its intensity",
    )


class Representation(Strict):
    """What frozen features look like."""

    cka: CKA = Field(CKA(), description="centred kernel alignment")
    similarity: Similarity = Field(Similarity(), description="reference-point similarity maps")
    leakage_subjects: int = assumed(
        5, "fewer cannot be learnt and tested", "least subjects of a site whose scans must not "
        "betray it", ge=2,
    )  # fmt: skip
