"""The configuration of one run."""

from typing import Any

from pydantic import Field

from braindino.settings.base import Strict
from braindino.settings.corpus import Corpus
from braindino.settings.encoders import Features
from braindino.settings.finetune import Finetune
from braindino.settings.imaging import Imaging
from braindino.settings.plan import Plan
from braindino.settings.probes import Probes
from braindino.settings.representation import Representation
from braindino.settings.robustness import Robustness
from braindino.settings.segmentation import Segmentation
from braindino.settings.statistics import Statistics


class Overrides(Strict):
    """Changes to cards for this run alone: card name, then the keys to change."""

    datasets: dict[str, dict[str, Any]] = Field({}, description="by dataset card")
    tasks: dict[str, dict[str, Any]] = Field({}, description="by task card")
    encoders: dict[str, dict[str, Any]] = Field({}, description="by encoder card")
    recipes: dict[str, dict[str, Any]] = Field({}, description="by recipe card")


class Config(Strict):
    """One run: first what cannot change a number, then the protocol."""

    run: str = Field("paper", description="results go to results/<run>", pattern=r"^[\w.-]+$")
    data_root: str | None = Field(
        None, description="folder that holds the cohorts' folders; or the BRAINDINO_DATA variable"
    )
    weights_root: str | None = Field(
        None, description="folder of published weights; or the BRAINDINO_WEIGHTS variable"
    )
    strict: bool = Field(False, description="an absent cohort or weight file is an error")
    datasets: list[str] = Field(description="cards of config/datasets to use")
    tasks: list[str] = Field(description="cards of config/tasks to use")
    encoders: list[str] = Field(description="cards of config/encoders to use")
    recipe: str = Field(
        "braindino_stage2",
        description="card of config/recipes to pretrain, after what it continues",
    )
    processes: int | None = Field(
        None, description="processes of a training; null: one a GPU of the job", ge=1
    )
    device: str = Field("auto", description="torch device: auto, cpu, cuda")
    patients_per_chunk: int = Field(32, description="patients in one DICOM conversion job", ge=1)
    feature_batch: int | None = Field(
        None,
        description="slices of 256 x 256 (of other inputs, as many pixels) in a forward pass of a "
        "frozen encoder; null: 64 on a GPU, 8 on a CPU, whose cache holds no more",
        ge=1,
    )
    feature_chunk: int = Field(
        64, description="volumes between two saves of the features of a cohort", ge=1
    )
    plan: Plan = Field(Plan(), description="machine and corpus that the target plan reckons with")
    phantoms: dict[str, int] = Field(
        {}, description="demo: cohorts to replace by phantoms, with their number of subjects"
    )
    phantom_spacing: float = Field(1.0, description="demo: voxel spacing of phantoms (mm)", gt=0)
    random_weights: bool = Field(
        False, description="demo: encoders without their weights run untrained, and say so"
    )
    overrides: Overrides = Field(Overrides(), description="changes to cards for this run alone")
    seed: int = Field(0, description="enters every derived seed")
    corpus: Corpus = Field(Corpus(), description="splits and label subsets")
    imaging: Imaging = Field(Imaging(), description="raw volume to normalised slices")
    features: Features = Field(Features(), description="what is read of frozen encoders")
    probes: Probes = Field(Probes(), description="heads on frozen features")
    finetune: Finetune = Field(Finetune(), description="encoder and head trained together")
    segmentation: Segmentation = Field(Segmentation(), description="encoders inside nnU-Net")
    statistics: Statistics = Field(Statistics(), description="uncertainty and tests")
    robustness: Robustness = Field(Robustness(), description="perturbed test volumes")
    representation: Representation = Field(
        Representation(), description="alignment and similarity of features"
    )

    @property
    def is_demo(self):
        """Whether phantoms or untrained encoders make this run's numbers meaningless."""
        return bool(self.phantoms) or self.random_weights
