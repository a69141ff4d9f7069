"""One colour and one marker an encoder, one colour a contrast, in every figure.

The colours are those of Okabe and Ito (2008), distinct under the common colour-vision
deficiencies; the markers tell encoders apart without any colour.
"""

from typing import NamedTuple


class Mark(NamedTuple):
    """Colour and marker of an encoder."""

    color: str
    marker: str


ENCODERS = {
    "braindino": Mark("#D55E00", "o"),
    "dinov3": Mark("#0072B2", "s"),
    "brainmvp": Mark("#009E73", "^"),
    "bm_mae": Mark("#CC79A7", "D"),
    "brainiac": Mark("#E69F00", "v"),
}
OTHERS = [
    Mark("#56B4E9", "P"),
    Mark("#000000", "X"),
    Mark("#7F7F7F", "<"),
    Mark("#6A4C93", ">"),
    Mark("#8C6D31", "h"),
]
CONTRASTS = {
    "T1w": "#0072B2",
    "T1c": "#D55E00",
    "T2w": "#E69F00",
    "FLAIR": "#009E73",
    "PDw": "#CC79A7",
}
PLAIN, UNSTATED = "#4F6D8A", "#C4C4C4"  # bars of shares; what nobody states


def encoder_marks(encoders):
    """Return {encoder: Mark}; encoders beyond the paper's take the rest in alphabetical order."""
    others = sorted(set(encoders) - set(ENCODERS))
    rest = {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(others)}
    return {name: (ENCODERS | rest)[name] for name in encoders}
