"""What this run assumed, and where it leaves the paper's protocol."""

from braindino.settings.config import Config
from braindino.settings.pretrain import Recipe
from braindino.settings.schema import sources

METHODS = [
    (
        "imaging: axial",
        "the file's plane nearest to axial; oblique volumes are not resampled",
        "§4.1.2 says axial, and not how an oblique volume is cut",
    ),
    (
        "imaging: interpolation",
        "trilinear",
        "not stated; MONAI's default for images",
    ),
    (
        "imaging: background after the z-score",
        "stays at 0",
        "§4.1.2 names the non-zero voxels alone; MONAI does the same",
    ),
    (
        "probes: regression targets",
        "standardised by each head's own label subset",
        "at the stated learning rate a head cannot reach an offset of decades",
    ),
    (
        "robustness: Gibbs",
        "MONAI's GibbsNoise; k-space radius in samples",
        "§4.5 says k-space truncation, and not of what shape",
    ),
    (
        "robustness: bias field",
        "Legendre polynomials up to the third degree, drawn for each volume, without a gain",
        "§4.5 says smooth and multiplicative; a gain would vanish in the normalisation",
    ),
    (
        "robustness: brains that their archive stripped",
        "keep the mask of their own zeros",
        "noise and ringing would fill the zeros, which no scanner measured",
    ),
    (
        "representation: input of the CKA",
        "the evaluation's slices",
        "§4.6 resizes to 224 x 224 for it alone; so each volume is encoded once",
    ),
    (
        "statistics: SD of an MAE",
        "of the bootstrap distribution",
        "the published SDs (0.75 to 1.02 years, §2.3) are too narrow for single errors",
    ),
    (
        "statistics: resamples without a class",
        "excluded",
        "such a resample has no macro-AUC",
    ),
    (
        "statistics: ADNI",
        "Student-t interval and paired t-test over the splits; bootstrap of the pooled predictions "
        "in age strata, and everywhere with `statistics.splits: bootstrap`",
        "§4.3.2 says Student-t and a paired test across splits, §4.7 the paired bootstrap",
    ),
    (
        "statistics: SD of a Dice",
        "of the bootstrap distribution over test cases",
        "§2.1 does not say of what; the published ones (0.01 to 0.03) are too narrow for cases",
    ),
    (
        "statistics: PPMI's test",
        "the paired bootstrap",
        "§4.7 does not list PPMI, which is a classification like the others",
    ),
    (
        "report: a number is reproduced",
        "if it lies in the published interval, or in the published value ± 1.96 SD; without "
        "either, if the published value lies in ours; without any, within 10 %",
        "the paper's intervals are of its own test subjects, and most numbers have none",
    ),
    (
        "statistics: Holm's adjustment",
        "given beside the plain p, which sets the stars",
        "§4.7 adjusts within age bins and over k alone",
    ),
]


def assumptions(run):
    """List what the paper leaves open: dicts of setting, value and why.

    Parameters
    ----------
    run : settings.load.Run
        The configuration and its cards.
    """
    rows = [
        {"setting": key, "value": _shown(value), "why": source.removeprefix("assumed: ")}
        for key, value, source, _ in _values(run.config, run.recipe)
        if source.startswith("assumed")
    ]
    rows += [
        {
            "setting": f"tasks.{card.name}.test_fraction",
            "value": _shown(card.test_fraction),
            "why": card.test_fraction_source.removeprefix("assumed: "),
        }
        for card in run.tasks.values()
        if card.test_fraction_source.startswith("assumed")
    ]
    rows += [
        {"setting": f"tasks.{card.name}", "value": ", ".join(card.modalities), "why": card.note}
        for card in run.tasks.values()
        if card.note
    ]
    return rows + [dict(zip(("setting", "value", "why"), row, strict=True)) for row in METHODS]


def deviations(run, untrained):
    """List where a run departs from the paper's scale: dicts of setting, paper and run.

    Parameters
    ----------
    run : settings.load.Run
        The configuration and its cards.
    untrained : list of str
        Titles of encoders with random weights.
    """
    rows = _data_deviations(run.config.phantoms, untrained) + _overrides(run.config.overrides)
    paper = Config(datasets=[], tasks=[], encoders=[]), Recipe(name="paper", title="")
    pairs = zip(_values(run.config, run.recipe), _values(*paper), strict=True)
    for (key, value, source, _), (_, default, _, _) in pairs:
        if value != default:
            stated = not source.startswith("assumed")
            shown = f"{_shown(default)} ({source if stated else 'assumed'})"
            rows.append({"setting": key, "paper": shown, "run": _shown(value)})
    return rows


def _data_deviations(phantoms, untrained):
    rows = []
    if phantoms:
        made = ", ".join(f"{name} ({subjects})" for name, subjects in phantoms.items())
        rows.append({"setting": "cohorts", "paper": "patients", "run": f"phantoms of {made}"})
    if untrained:
        shown = ", ".join(untrained)
        rows.append({"setting": "weights", "paper": "published", "run": f"random: {shown}"})
    return rows


def _overrides(overrides):
    """List the changes to cards for this run alone."""
    return [
        {"setting": f"{kind}.{name}.{key}", "paper": "as on the card", "run": _shown(value)}
        for kind, cards in overrides
        for name, changes in cards.items()
        for key, value in changes.items()
    ]


def _values(config, recipe):
    yield from sources(config)
    yield from sources(recipe, "recipe.")


def _shown(value):
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(part)}" for key, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
