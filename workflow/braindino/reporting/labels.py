"""How encoders, metrics and the run's data are named wherever they appear."""

from dataclasses import dataclass, field

from braindino.settings.finetune import SUFFIX

PHANTOMS = "demo: phantoms, not patients"
UNTRAINED = "demo: untrained encoders"


@dataclass(frozen=True)
class Labels:
    """Names of one run.

    Attributes
    ----------
    encoders : dict of str
        Encoder id: title, in the run's order; untrained encoders say so.
    demo : str
        What makes the run's numbers meaningless; empty if nothing does.
    reference : str
        Id of the encoder that the others are compared with.
    pretrained_on : dict of list
        Encoder id: cohorts that its own authors pretrained it on.
    """

    encoders: dict[str, str]
    demo: str
    reference: str
    pretrained_on: dict[str, list[str]] = field(default_factory=dict)

    @property
    def demo_suffix(self):
        """The demo's note for the end of a title, with its separator."""
        return f" ({self.demo})" if self.demo else ""

    @property
    def full_ft(self):
        """Id of the reference encoder trained together with the head."""
        return self.reference + SUFFIX

    def title(self, encoder):
        """Title of an encoder, of the one that full fine-tuning made, too."""
        name = encoder.removesuffix(SUFFIX)
        tuned = ", full fine-tuning" if name != encoder else ""
        return self.encoders.get(name, name) + tuned

    def shared_cohorts(self, encoder, card):
        """List the cohorts of a task that an encoder's own authors pretrained it on."""
        return [name for name in card.datasets if name in self.pretrained_on.get(encoder, [])]


def labels(run, availability):
    """Name the encoders and the data of a run.

    Parameters
    ----------
    run : settings.load.Run
        The configuration and its cards.
    availability : DataFrame
        Columns kind, name, status, reason; status 'untrained' marks random weights.
    """
    encoders = availability[availability["kind"] == "encoder"]
    untrained = set(encoders.loc[encoders["status"] == "untrained", "name"])
    titles = {
        name: card.title + (" (random weights)" if name in untrained else "")
        for name, card in run.encoders.items()
    }
    config = run.config
    demo = PHANTOMS if config.phantoms else UNTRAINED if config.is_demo else ""
    # What this run pretrains is kept from every test subject (`corpus.leakage`).
    own = {n: c.pretrained_on for n, c in run.encoders.items() if c.source != "recipe"}
    return Labels(titles, demo, config.statistics.reference, own)


def task_title(card):
    """Title of a task; one whose evaluation is not built says so."""
    return card.title + (" (splits only)" if card.evaluation == "pending" else "")


def short_title(title):
    """Shorten a task's title for a small panel."""
    names = {"Alzheimer's disease": "AD", "Mild cognitive impairment": "MCI"}
    names |= {" against normal cognition": " vs CN", ", three classes": ""}
    for long, short in names.items():
        title = title.replace(long, short)
    return title


def percent(share):
    """Print a share: '60 %', '< 1 %'."""
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


@dataclass(frozen=True)
class Measure:
    """A metric's name, printed precision and direction; None: neither way is better."""

    name: str
    unit: str
    decimals: int
    lower_is_better: bool | None = False

    @property
    def label(self):
        """Name with unit, for axes and headings."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def number(self, value):
        """Print a value at the metric's precision, an undefined one as a dash."""
        return "–" if value != value else f"{value:.{self.decimals}f}"


NAMES = {
    "macro_auc": "Macro-AUC", "auc": "AUC", "accuracy": "Accuracy", "r2": "R²", "dice": "Dice",
    "c_index": "C-index", "cka": "CKA", "mean_dice": "Mean Dice",
}  # fmt: skip


def measure(metric):
    """Describe a metric by its id in the results, e.g. `mae_years` or `dice_wt`."""
    kind, _, rest = metric.partition("_")
    if kind in ("mae", "rmse"):
        return Measure(kind.upper(), rest, 2, lower_is_better=True)
    if kind in ("dice", "hd95") and rest:
        name = f"{kind.capitalize() if kind == 'dice' else kind.upper()} {rest.upper()}"
        return Measure(name, "", 3) if kind == "dice" else Measure(name, "mm", 1, True)
    special = {
        "ece": Measure("ECE", "", 3, lower_is_better=True),
        "logrank_p": Measure("Log-rank p", "", 3, lower_is_better=None),
        "median_survival_days": Measure("Median survival", "days", 0, lower_is_better=None),
    }
    return special.get(metric) or Measure(NAMES.get(metric, metric), "", 3)


def stars(p):
    """Mark a p value by the paper's tiers: 0.05, 0.01 and 0.001 (§4.7); none for NaN."""
    return "*" * sum(p < tier for tier in (0.05, 0.01, 0.001))
