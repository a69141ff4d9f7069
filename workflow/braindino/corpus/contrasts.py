"""Tell a series' contrast from its header, or why it is no structural scan."""

import re
from dataclasses import dataclass
from math import nan

from braindino.corpus.contrast_rules import AGENT_FILLED, AGENT_NAMED, FLAGS, NUMBERS, WORDS


@dataclass(frozen=True)
class Header:
    """What a series says of itself; times in ms, angle in degrees, nan where it is silent."""

    modality: str = "MR"
    description: str = ""
    protocol: str = ""
    sequence: str = ""
    image_type: frozenset = frozenset()
    scanning: frozenset = frozenset()
    variant: frozenset = frozenset()
    agent: str = ""
    tr: float = nan
    te: float = nan
    ti: float = nan
    flip: float = nan
    b_value: float = nan
    echoes: int = 1
    repeats: int = 1
    several_planes: bool = False

    @property
    def gradient_echo(self):
        """Whether the signal is a gradient echo."""
        return "GR" in self.scanning and "SE" not in self.scanning

    @property
    def spin_echo(self):
        """Whether TR and TE alone weight the image: no gradient echo, no inversion."""
        return not self.gradient_echo and not self.ti > 0

    @property
    def made_later(self):
        r"""Whether the image was computed after the scan.

        DERIVED\PRIMARY is what the scanner corrected (distortion, coil profile), a real volume;
        DERIVED\SECONDARY was made from one, unless marked as such a correction.
        """
        corrected = self.image_type & {"DIS2D", "DIS3D", "NORM"}
        return {"DERIVED", "SECONDARY"} <= self.image_type and not corrected


def tell_contrast(header):
    """Decide a series' contrast, or why it is left out, by the first row that holds.

    What the description says beats the numbers; where it says nothing, the protocol's and the
    sequence's name are read, and then TR, TE, TI and flip angle decide.

    Parameters
    ----------
    header : Header

    Returns
    -------
    contrast : str or None
        T1w, T1c, T2w, FLAIR or PDw; None: leave the series out.
    reason : str
        Name of the row, or which facts no row knew.
    """
    texts = [clean(text) for text in (header.description, header.protocol, header.sequence)]
    row = _first(header, (FLAGS, [""]), (WORDS, texts), (NUMBERS, [""]))
    if row is None:
        return None, (
            f"no rule tells its contrast (description '{header.description}', "
            f"TR {header.tr:g}, TE {header.te:g}, TI {header.ti:g})"
        )
    if row.contrast == "T1w":
        row = _first(header, (AGENT_NAMED, texts), (AGENT_FILLED, [""])) or row
    return row.contrast, row.name


def clean(text):
    """Return a description in lower case, its words apart: 'AXT1_POST' becomes 'ax t1 post'."""
    text = re.sub(r"[^a-z0-9+/*]+", " ", text.lower())
    plane = r"(?<![a-z])((?:ax(?:ial)?|sag|cor|tra|obl|3d|s)?)"
    return " ".join(re.sub(plane + r"(t[12]w?|flair|pdw?)(?!\d)", r"\1 \2 ", text).split())


def _first(header, *sections):
    rows = (
        rule
        for rules, texts in sections
        for text in texts
        for rule in rules
        if rule.holds(header, text)
    )
    return next(rows, None)
