"""Protocol of the perturbations (paper sections 2.8 and 4.5)."""

from typing import Literal

from pydantic import Field, model_validator

from braindino.settings.base import Strict, assumed, stated

BEYOND = "not in the paper"


class Severities(Strict):
    """Grid of each kind of perturbation; a kind without a severity is left out."""

    contrast: list[float] = stated(
        [0.5, 0.8, 1.0, 1.2, 1.5, 2.0], "4.5", "gamma of the intensities; 1 is clean"
    )
    gibbs: list[float] = stated(
        [0.0, 0.1, 0.2, 0.3, 0.4], "4.5", "share of the k-space radius that is cut; 0 is clean"
    )
    bias_field: list[float] = stated(
        [0.0, 0.1, 0.2, 0.3, 0.4], "4.5", "strength of the coil's field; 0 is clean"
    )
    rician: list[float] = assumed(
        [0.0, 0.05, 0.1, 0.2], BEYOND, "SD of the noise, as a share of the 99th percentile"
    )
    ghosting: list[float] = assumed(
        [0.0, 0.5, 1.0, 2.0], BEYOND, "amplitude of a periodic motion back and forth (mm)"
    )
    thick_slices: list[float] = assumed(
        [0.0, 3.0, 5.0, 7.0], BEYOND, "thickness of the axial slices (mm); 0 is clean"
    )
    flip: list[float] = assumed(
        [0.0, 1.0],
        "not in the paper: a negative control",
        "1: left and right are exchanged",
    )

    @model_validator(mode="after")
    def _within_range(self):
        limits = {"contrast": (1e-3, 10), "gibbs": (0, 0.99), "flip": (0, 1)}
        for name, grid in self:
            low, high = limits.get(name, (0, float("inf")))
            if not all(low <= severity <= high for severity in grid):
                raise ValueError(f"'{name}' must lie between {low} and {high}")
        return self


class Robustness(Strict):
    """Test volumes perturbed before preprocessing, judged by the heads of the clean ones."""

    tasks: list[str] = stated(
        ["cls_adni_3class", "age", "seg_brats2021"], "4.5", "tasks, of those that the run lists"
    )
    encoders: list[str] = stated(
        ["braindino", "brainiac", "bm_mae", "brainmvp"], "4.5", "encoders, of the run's"
    )
    severities: Severities = Field(Severities(), description="what is done to the volumes")
    mask: Literal["own", "clean"] = assumed(
        "own",
        "§4.5 perturbs before preprocessing, so the brain is extracted from what was perturbed",
        "own: each perturbed volume is stripped and cropped anew; clean: by the mask and box of "
        "the clean volume, which leaves the encoder alone to blame",
    )
