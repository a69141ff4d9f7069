"""Inputs of encoders: how a stripped brain becomes their slices or their volume."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from braindino.settings.base import Strict

Channels = tuple[float, ...] | None


class SliceView(Strict):
    """Input of a 2-D encoder: axial slices, resampled and normalised as the protocol says."""

    kind: Literal["slices"]
    size: tuple[int, int] | None = Field(
        None, description="pixels of a slice, down and across; null: imaging.evaluation_shape's"
    )
    channels: int = Field(3, description="equal channels that a grey slice becomes (§4.2)", ge=1)
    neighbours: bool = Field(
        False,
        description="three channels are the slice below, the slice and the one above, itself at an "
        "end, instead of equal ones",
    )
    intensity: Literal["z_score", "unit"] = Field(
        "z_score",
        description="z_score: of the brain's voxels, background at 0 (§4.1.2); unit: the clipped "
        "volume scaled to 0 and 1, background at 0",
    )
    mean: Channels = Field(None, description="subtracted from each channel; null: nothing")
    std: Channels = Field(None, description="by which each channel is divided; null: nothing")
    source: str = Field(description="where the values come from")

    @model_validator(mode="after")
    def _neighbours_are_three(self):
        if self.neighbours and self.channels != 3:
            raise ValueError("'neighbours' needs three channels")
        return self


class VolumeView(Strict):
    """A 3-D encoder's input, in the order of its steps: axes, spacing, intensity and size."""

    kind: Literal["volume"] = "volume"
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
        None, description="of all voxels before the fit, to which they are clipped; null: no clip"
    )
    intensity: Literal["z_score", "unit"] = Field(
        "z_score",
        description="z_score: of the non-zero voxels after the fit; unit: the percentiles become "
        "0 and 1 before the fit",
    )
    channels: int = Field(1, description="equal channels that the volume becomes", ge=1)
    mean: Channels = Field(None, description="subtracted from each channel; null: nothing")
    std: Channels = Field(None, description="by which each channel is divided; null: nothing")
    source: str = Field(description="where the values come from")

    @model_validator(mode="after")
    def _unit_has_ends(self):
        if self.intensity == "unit" and not self.percentiles:
            raise ValueError("intensity 'unit' needs 'percentiles', e.g. [0, 100]")
        return self


View = Annotated[SliceView | VolumeView, Field(discriminator="kind")]


class Inputs(Strict):
    """An encoder's input under each preset."""

    native: View = Field(description="what the encoder's own authors publish")
    paper: View | None = Field(
        None, description="what the paper's evaluation feeds it; null: the same"
    )

    def view(self, preset):
        """Return the input of a preset, `native` or `paper`."""
        return self.paper or self.native if preset == "paper" else self.native
