"""Cards: one YAML file a cohort or a task (see also `settings.encoders`, `settings.pretrain`)."""

from typing import Literal

from pydantic import Field, model_validator

from braindino.settings.base import Strict

Modality = Literal["T1w", "T1c", "T2w", "FLAIR", "PDw"]


class Labels(Strict):
    """A table of the cohort's archive, one row a subject, a session or an image.

    Wide tables hold one column a session: `{session}` in a column's name stands for the session
    of the volume (without `ses-`), e.g. `score_ses-{session}`.
    """

    file: str = Field(
        description="path below the cohort's folder; .tsv, .csv, .xls, .xlsx or .json; a name with "
        "* or ? must match one file"
    )
    optional: bool = Field(
        False, description="whether a copy without this table is complete, e.g. of two releases"
    )
    key: str = Field(description="column that names the subject, the visit or the image")
    key_format: str = Field("{}", description="how the key's value becomes the subject's id")
    key_pattern: str | None = Field(
        None,
        description="regular expression on the key's value, with a group `subject` and perhaps "
        "`session`, where the key holds both",
    )
    key_session: str | None = Field(None, description="column that names the session, if any")
    match: str = Field(
        "subject", description="part of the scan's path that the key names, e.g. image"
    )
    columns: dict[str, str] = Field({}, description="manifest column: the table's column")
    years: dict[str, tuple[str, str]] = Field(
        {}, description="manifest column: two date columns, between which the years are counted"
    )
    units: dict[str, Literal["years", "months", "days"]] = Field(
        {}, description="manifest column: unit of an age that the table does not give in years"
    )
    values: dict[str, dict[str, str | int | float]] = Field(
        {},
        description="manifest column: how the table's values map, e.g. sex: {'1': M}; '*' stands "
        "for every other value",
    )
    aliases: dict[str, str] = Field(
        {}, description="cohort: column that holds the same person's subject id there"
    )


class Expected(Strict):
    """What the archive holds when complete; null where nobody could count it."""

    subjects: int | None = None
    volumes: int | None = None


class Download(Strict):
    """A file that anyone may download."""

    url: str
    to: str = Field(description="file below the cohort's folder; of an archive, the folder")
    unpack: bool = Field(False, description="whether it is a tar or zip archive to unpack")
    bytes: int | None = Field(None, description="size, when known")
    md5: str | None = Field(None, description="checksum, when known")


class Bucket(Strict):
    """A folder of a public S3 bucket, as OpenNeuro keeps its datasets."""

    bucket: str = Field(description="https address of the bucket")
    prefix: str = Field(description="folder in the bucket, with its final /")
    include: list[str] = Field(["*"], description="globs of the files wanted, below the prefix")


class Regions(Strict):
    """Tumour regions of a cohort's label map, each within the one before (Table S5)."""

    wt: list[int] = Field(description="values that make up the whole tumour")
    tc: list[int] = Field(description="of them, the tumour core")
    et: list[int] = Field(description="of them, the enhancing tumour")
    dilation: int = Field(
        3, description="voxels by which the challenge grows lesions before it tells them apart"
    )
    least_lesion: int = Field(50, description="voxels below which the challenge drops a lesion")
    source: str = Field(description="who defined values and regions")

    @model_validator(mode="after")
    def _regions_are_nested(self):
        if not set(self.et) <= set(self.tc) <= set(self.wt) or 0 in self.wt:
            raise ValueError("'et' must lie in 'tc' and 'tc' in 'wt', and none may hold 0")
        return self

    @property
    def values(self):
        """Label values of each region, the largest region first."""
        return {"wt": self.wt, "tc": self.tc, "et": self.et}


class DatasetCard(Strict):
    """A cohort as its archive ships it."""

    name: str
    title: str
    citation: str
    homepage: str
    group: Literal[
        "normative",
        "lifespan_neurodevelopment",
        "neurodegenerative",
        "stroke",
        "brain_tumor",
        "clinical_acquisition",
        "other",
    ] = Field("other", description="kind of cohort, as the paper groups them (§4.1.1)")
    access: Literal["open", "registration", "agreement"]
    how_to_get: str = Field(description="one sentence: where to ask, what to download")
    licence: str
    download: list[Download | Bucket] = Field([], description="sources, where the access is open")
    roles: list[Literal["pretraining", "evaluation"]]
    pretraining_subjects: int | None = Field(
        None, description="most subjects that enter pretraining; null: all but the test subjects"
    )
    folder: str = Field(description="the cohort's folder below the data root")
    reader: Literal["bids", "pattern", "dicom"]
    scans: dict[Modality, str | list[str]] = Field(
        {},
        description="pattern reader: path below the folder, with {subject} and other named parts; "
        "{name:regex} narrows a part; several paths as a list",
    )
    series: str | None = Field(
        None,
        description="dicom reader: path of a series' folder with named parts such as {subject}, "
        "{image}; what it does not name comes from the headers (PatientID, StudyDate)",
    )
    segmentation: str | None = Field(None, description="path pattern of the label map, if any")
    regions: Regions | None = Field(None, description="what the values of the label map mean")
    ignored: dict[str, str] = Field(
        {}, description="glob of files that are no structural scans: why (e.g. '*_bold.nii.gz')"
    )
    other_releases: dict[str, str] = Field(
        {}, description="glob of paths that betray another release: which, and what to do"
    )
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
    def _reader_is_complete(self):
        if self.reader == "pattern" and not self.scans:
            raise ValueError("reader 'pattern' needs at least one path under 'scans'")
        if self.series and self.reader != "dicom":
            raise ValueError("'series' is for reader 'dicom' alone")
        if self.download and self.access != "open":
            raise ValueError("'download' is for cohorts with open access alone")
        return self


class Published(Strict):
    """How many subjects or scans of each class the paper counts in train and test."""

    unit: Literal["subjects", "volumes"] = "subjects"
    train: dict[str, int] = {}
    test: dict[str, int] = {}
    section: str = Field(description="section of the paper")


class HeadChanges(Strict):
    """What a task's head does otherwise than `probes` of the configuration says."""

    loss: Literal["log_mixed"] | None = Field(
        None, description="log_mixed: of the target's logarithm (§4.3.3), instead of its own"
    )
    optimiser: Literal["adam", "adamw"] | None = None
    learning_rate: float | None = Field(None, gt=0)
    weight_decay: float | None = Field(None, ge=0)
    dropout: float | None = Field(None, ge=0, lt=1)
    epochs: int | None = Field(None, ge=1)
    patience: int | None = Field(None, ge=1)
    source: str = Field(description="section of the paper, or 'assumed' with the reason")


class TaskCard(Strict):
    """A frozen evaluation: which volumes, which target, how it is split and scored."""

    name: str
    title: str
    source: str = Field(description="section of the paper, or 'not in the paper'")
    kind: Literal["regression", "classification", "survival", "segmentation"]
    evaluation: Literal["probe", "nnunet", "pending"] = Field(
        "probe",
        description="probe: a head on features; nnunet: a network of nnU-Net's; pending: splits "
        "alone are made",
    )
    datasets: list[str]
    modalities: list[Modality] = Field(description="contrasts whose volumes are used")
    fusion: Literal["mean"] | None = Field(
        None,
        description="mean: a visit needs all of the contrasts, and their features are averaged",
    )
    sessions: Literal["all", "first"] = Field(
        "all", description="first: only each subject's first session, e.g. the baseline"
    )
    target: str = Field(
        description="manifest column; survival: its time; 'coin': a fair coin, by a hash of the "
        "subject, in which no encoder can find signal"
    )
    event: str | None = Field(
        None, description="survival: manifest column, 1 where the event was, 0 where censored"
    )
    censored_after: float | None = Field(
        None, description="leave out who was censored at or before this time"
    )
    threshold: float | None = Field(
        None,
        description="classification of a number: above it is the first class, at or below the "
        "second",
    )
    classes: list[str] | None = Field(None, description="classification: values of the target")
    unit: str = Field("", description="unit of a regression target or a survival time")
    splitter: Literal["stratified", "nnunet", "archive"] = Field(
        "stratified",
        description="stratified: ours; nnunet: fold 0 of nnU-Net's five; archive: the manifest "
        "column archive_split (train or test), where the archive predefines it",
    )
    split_as: str | None = Field(
        None, description="task whose split is used, kept to this task's volumes"
    )
    folds: int = Field(1, description="subject-disjoint splits, each drawn anew", ge=1)
    test_fraction: float = Field(gt=0, lt=1, description="share of subjects held out for test")
    test_fraction_source: str
    published: Published | None = Field(
        None, description="the paper's counts; where a class is in both parts, they size its test"
    )
    tokens: Literal["cls", "patch"] = Field(
        "cls",
        description="what represents a volume: the mean of its slices' class tokens, or of the "
        "patch tokens of its central slices",
    )
    oversample: bool = Field(
        False, description="classification: synthetic samples even out the training classes"
    )
    head: HeadChanges | None = Field(None, description="where the head departs from the default")
    age_bins: list[float] | None = Field(
        None, description="lower ends of the age strata in which the task is scored, too"
    )
    knn: str | None = Field(None, description="the paper's name of its kNN probe, e.g. knn_adni")
    nnunet_id: int | None = Field(
        None, description="segmentation: number of its data set in nnU-Net", ge=1, le=999
    )
    table: str | None = Field(None, description="the paper's supplementary table, e.g. s9")
    panel: str | None = Field(None, description="the paper's panel of Fig. 3, e.g. j")
    strata_table: str | None = Field(None, description="the paper's table of the age strata")
    strata_panel: str | None = Field(None, description="the paper's panel of the age strata")
    note: str = ""

    @model_validator(mode="after")
    def _fields_fit_kind(self):
        if (self.kind == "classification") != bool(self.classes):
            raise ValueError("'classes' must be given for a classification, and only there")
        if self.kind == "survival" and not self.event:
            raise ValueError("'event' must be given for a survival task")
        if self.event and self.kind != "survival" and self.threshold is None:
            raise ValueError("'event' is for survival tasks and for a 'threshold' on their time")
        if self.threshold is not None and len(self.classes or []) != 2:
            raise ValueError("'threshold' needs two classes")
        if (self.oversample or self.knn) and self.kind != "classification":
            raise ValueError("'oversample' and 'knn' are for classifications alone")
        if self.evaluation == "nnunet" and not self.nnunet_id:
            raise ValueError("'evaluation: nnunet' needs 'nnunet_id'")
        if (self.strata_table or self.strata_panel) and not self.age_bins:
            raise ValueError("'strata_table' and 'strata_panel' are of 'age_bins'")
        if self.head and self.head.loss and self.kind != "regression":
            raise ValueError("'head: loss' is for regressions alone")
        return self

    @property
    def metric(self):
        """Primary metric, named as in config/paper/results.csv."""
        names = {"classification": "macro_auc", "survival": "c_index", "segmentation": "dice"}
        if self.kind in names:
            return names[self.kind]
        return f"mae_{self.unit}" if self.unit else "mae"
