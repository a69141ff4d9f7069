"""What the corpus is made of, as the figure and the report show it."""

from braindino.corpus.coverage import NOT_STATED
from braindino.reporting.labels import percent

GROUPS = {  # kinds of cohort, in the order of §4.1.1
    "normative": "Normative",
    "lifespan_neurodevelopment": "Lifespan and neurodevelopment",
    "neurodegenerative": "Neurodegeneration",
    "stroke": "Stroke",
    "brain_tumor": "Brain tumour",
    "clinical_acquisition": "Clinical acquisition",
    "other": "Other",
}
ATTRIBUTES = {
    "vendor": "Vendor",
    "field_strength": "Field strength",
    "slice_thickness": "Slice thickness",
    "orientation": "Orientation",
    "age": "Age (years)",
    "sex": "Sex",
}
RANGES = ["slice_thickness", "age"]  # their values are bins, and all of them are shown
MOST = 6  # values of another attribute that a small panel holds; the rarest become one

# A share stays on one line: a dash, too, would be broken after.
UNBROKEN = {ord(" "): "\N{NO-BREAK SPACE}", ord("–"): "–\N{WORD JOINER}"}


def cohort_rows(volumes, groups):
    """List the lines of the chart: a (group, None), then its (group, cohort)s, largest first."""
    sizes = volumes.groupby("dataset")["volumes"].sum().sort_values(ascending=False, kind="stable")
    rows = []
    for group, title in GROUPS.items():
        members = [name for name in sizes.index if groups[name] == group]
        rows += [(title, name) for name in [None, *members]] if members else []
    return rows


def attribute_shares(corpus, attribute):
    """Return {value: share of the volumes}; 'not stated' comes last, also when it is zero."""
    counts = corpus[corpus["attribute"] == attribute].groupby("value")["volumes"].sum()
    unstated = counts.get(NOT_STATED, 0)
    stated = counts.drop(NOT_STATED, errors="ignore")
    if attribute not in RANGES and len(stated) > MOST:
        common = stated.nlargest(MOST - 1).index
        others = stated.drop(common).sum()
        stated = stated[stated.index.isin(common)]
        stated["other"] = others
    total = max(1, counts.sum())
    return {name: n / total for name, n in [*stated.items(), (NOT_STATED, unstated)]}


def composition_rows(composition):
    """Describe each cohort's volumes in use: dicts of dataset, part, volumes and attributes."""
    return [
        {"dataset": dataset, "part": part}
        | {"volumes": rows.loc[rows["attribute"] == "modality", "volumes"].sum()}
        | {name: _described(rows, name) for name in ["modality", *ATTRIBUTES]}
        for (dataset, part), rows in composition.groupby(["dataset", "part"])
    ]


def _described(rows, attribute):
    shares = {name: n for name, n in attribute_shares(rows, attribute).items() if n}
    if len(shares) == 1:
        return next(iter(shares))
    entries = [f"{value} {percent(share)}" for value, share in shares.items()]
    return ", ".join(entry.translate(UNBROKEN) for entry in entries)
