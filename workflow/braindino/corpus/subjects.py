"""Count a cohort's subjects by the names of its folders and files, in no time."""

import re
from pathlib import Path

from braindino.corpus.patterns import compile_pattern

_INSIDE = r"[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
_PART = r"\{" + _INSIDE
# A path pattern up to the end of the part that names the subject; of a folder, with its '/'.
_TO_SUBJECT = re.compile(rf"(?:{_PART}|[^{{}}])*?\{{subject\b{_INSIDE}(?:{_PART}|[^/{{}}])*/?")


def count_subjects(card, folder):
    """Count the subjects that a cohort's folder names, without opening a file.

    Parameters
    ----------
    card : braindino.settings.cards.DatasetCard
    folder : path
        The cohort's folder.

    Returns
    -------
    int or None
        None where only the headers of the scans name them.
    """
    heads = [match[0] for path in _patterns(card) if (match := _TO_SUBJECT.match(path))]
    if not heads:
        return None
    return len({subject for head in heads for subject in _subjects(head, Path(folder))})


def _patterns(card):
    if card.reader == "bids":
        return ["{subject:sub-[^/]+}/"]
    if card.reader == "dicom":
        return [card.series or ""]
    paths = card.scans.values()
    return [path for given in paths for path in ([given] if isinstance(given, str) else given)]


def _subjects(head, folder):
    expression = compile_pattern(head.rstrip("/"))
    for path in folder.glob(re.sub(_PART, "*", head)):  # a final '/' finds folders alone
        if match := expression.fullmatch(path.relative_to(folder).as_posix()):
            yield match["subject"]
