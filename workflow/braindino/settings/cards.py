"""Cards: one YAML file a cohort, a task or an encoder (recipes: see `settings.pretrain`)."""

from typing import Literal

from pydantic import Field, model_validator

from braindino.settings.base import Strict

Modality = Literal["T1w", "T1c", "T2w", "FLAIR", "PDw"]


class Labels(Strict):
    """A table of the cohort's archive, one row a subject or a session.

    Wide tables hold one column a session: `{session}` in a column's name stands for the session
    of the volume (without `ses-`), e.g. `score_ses-{session}`.
    """

    file: str = Field(description="path below the cohort's folder; .tsv, .csv, .xls or .json")
    key: str = Field(description="column that names the subject, or with `key_session` the visit")
    key_format: str = Field("{}", description="how the key's value becomes the subject's id")
    key_session: str | None = Field(None, description="column that names the session, if any")
    columns: dict[str, str] = Field(description="manifest column: the table's column")
    years: dict[str, tuple[str, str]] = Field(
        {}, description="manifest column: two date columns, between which the years are counted"
    )
    values: dict[str, dict[str, str | int | float]] = Field(
        {}, description="manifest column: how the table's values map, e.g. sex: {'1': M}"
    )


class Expected(Strict):
    """What the archive holds when complete; null where nobody could count it."""

    subjects: int | None = None
    volumes: int | None = None


class DatasetCard(Strict):
    """A cohort as its archive ships it."""

    name: str
    title: str
    citation: str
    homepage: str
    access: Literal["open", "registration", "agreement"]
    how_to_get: str = Field(description="one sentence: where to ask, what to download")
    licence: str
    roles: list[Literal["pretraining", "evaluation"]]
    folder: str = Field(description="the cohort's folder below the data root")
    reader: Literal["bids", "pattern"]
    scans: dict[Modality, str] = Field(
        {},
        description="pattern reader: path below the folder, with {subject} and other named parts; "
        "{name:regex} narrows a part",
    )
    segmentation: str | None = Field(None, description="path pattern of the label map, if any")
    skull_stripped: bool | Literal["auto"] = Field(
        "auto", description="true: pass through; false: strip; auto: decided by its zero voxels"
    )
    labels: list[Labels] = []
    constants: dict[str, str | int | float] = Field(
        {}, description="manifest columns with one value for the whole cohort, e.g. vendor"
    )
    expected: Expected = Expected()
    verified: bool = Field(description="layout and labels were checked against the real archive")
    note: str = Field("", description="what could not be checked, and other quirks")

    @model_validator(mode="after")
    def _pattern_has_scans(self):
        if self.reader == "pattern" and not self.scans:
            raise ValueError("reader 'pattern' needs at least one path under 'scans'")
        return self


class TaskCard(Strict):
    """A frozen evaluation: which volumes, which target, how it is scored."""

    name: str
    title: str
    source: str = Field(description="section of the paper, or 'not in the paper'")
    kind: Literal["regression", "classification"]
    datasets: list[str]
    modalities: list[Modality] = Field(description="contrasts whose volumes are used")
    target: str = Field(description="manifest column")
    classes: list[str] | None = Field(None, description="classification: values of the target")
    unit: str = Field("", description="unit of a regression target")
    test_fraction: float = Field(gt=0, lt=1, description="share of subjects held out for test")
    test_fraction_source: str
    table: str | None = Field(None, description="the paper's supplementary table, e.g. s9")
    panel: str | None = Field(None, description="the paper's panel of Fig. 3, e.g. j")
    note: str = ""

    @model_validator(mode="after")
    def _classes_fit_kind(self):
        if (self.kind == "classification") != bool(self.classes):
            raise ValueError("'classes' must be given for a classification, and only there")
        return self

    @property
    def metric(self):
        """Primary metric, named as in config/paper/results.csv."""
        if self.kind == "classification":
            return "macro_auc"
        return f"mae_{self.unit}" if self.unit else "mae"


class Weights(Strict):
    """Where an encoder's weights are published, and how the file is checked."""

    file: str = Field(description="path below the weights root")
    sha256: str | None = Field(None, description="checksum, when known")
    how_to_get: str = Field(description="one sentence: where to ask, what to download")


class EncoderCard(Strict):
    """A frozen encoder."""

    name: str
    title: str
    citation: str
    licence: str
    access: Literal["open", "gated", "unreleased"]
    source: Literal["recipe", "timm"] = Field(
        description="recipe: the checkpoint this run pretrains; timm: a published timm model"
    )
    architecture: str | None = Field(None, description="timm model name")
    arguments: dict[str, int | float | bool | str] = {}
    weights: Weights | None = None
    embedding: Literal["cls"] = Field("cls", description="token that represents a slice (§4.3)")
    pretrained_on: list[str] = Field([], description="cohorts its own authors pretrained on")
    note: str = ""

    @model_validator(mode="after")
    def _source_is_complete(self):
        if self.source == "timm" and not (self.architecture and self.weights):
            raise ValueError("source 'timm' needs 'architecture' and 'weights'")
        return self
