"""Inputs of encoders that take a whole volume: how a stripped brain becomes their array."""

from typing import Annotated, Literal

from pydantic import Field

from braindino.settings.base import Strict


class VolumeView(Strict):
    """A 3-D encoder's input, in the order of its steps: axes, spacing, intensity and size."""

    axcodes: Annotated[str, Field(pattern="^[RLAPSI]{3}$")] = Field(
        "RAS", description="where the three axes point to, e.g. LPS"
    )
    spacing: float | None = Field(
        None, description="isotropic voxels (mm), linear; null: as they are", gt=0
    )
    size: tuple[int, int, int] = Field(description="voxels along the three axes")
    fit: Literal["crop", "resize"] = Field(
        description="crop: about the centre, padded with zeros where too small; resize: trilinear"
    )
    percentiles: tuple[float, float] | None = Field(
        None,
        description="of all voxels before the fit, clipped and scaled to 0 and 1; null: z-score of "
        "the non-zero voxels after the fit",
    )
    source: str = Field(description="where the values come from")


VIEWS = {
    "bm_mae": VolumeView(
        axcodes="LPS",
        spacing=1,
        size=(128, 128, 128),
        fit="crop",
        source="upstream code (Lucas-rbnt/BM-MAE), which never reorients; LPS assumed: so are the "
        "files of BraTS2021, on which alone it was pretrained",
    ),
    "brainmvp": VolumeView(
        spacing=1,
        size=(96, 96, 96),
        fit="crop",
        percentiles=(5, 95),
        source="upstream code (shaohao011/BrainMVP), clipped as in its pretraining; the centre "
        "crop is its classifiers' at test time",
    ),
    "brainiac": VolumeView(
        size=(96, 96, 96),
        fit="resize",
        source="upstream code (AIM-KannLab/BrainIAC); RAS assumed: it keeps its atlas's axes; "
        "registration left out: our brains are cropped to their box instead of an atlas's",
    ),
}
