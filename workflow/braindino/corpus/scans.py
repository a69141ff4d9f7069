"""Find a cohort's scans as its archive ships them: BIDS, or path patterns."""

import re
from pathlib import Path

import bids2table
import pandas as pd

COLUMNS = ["subject", "session", "modality", "path", "segmentation"]
SUFFIXES = {"T1w": "T1w", "T2w": "T2w", "FLAIR": "FLAIR", "PDw": "PDw", "PD": "PDw"}
# Every scan has a session in its volume_id; archives of one visit do not name theirs.
ONLY_SESSION = "1"


def find_scans(card, folder):
    """List the structural scans of a cohort.

    Parameters
    ----------
    card : braindino.settings.cards.DatasetCard
    folder : path
        The cohort's folder.

    Returns
    -------
    DataFrame
        Columns subject, session, modality, path, segmentation and the pattern's other named
        parts (e.g. site), sorted by path.
    """
    rows = _bids(folder) if card.reader == "bids" else _pattern(card, Path(folder))
    frame = pd.DataFrame(rows, columns=None if rows else COLUMNS)
    for column in COLUMNS:
        if column not in frame:
            frame[column] = None
    frame["session"] = frame["session"].fillna(ONLY_SESSION)
    return frame.sort_values("path", ignore_index=True)


def compile_pattern(pattern):
    r"""Compile a card's path pattern to a regular expression.

    `{name}` matches a part without '/'; `{name:regex}` narrows it; a name that occurs again must
    match the same text.

    Examples
    --------
    >>> compile_pattern("{subject}/{subject}-t1n.nii.gz").fullmatch("a-1/a-1-t1n.nii.gz")["subject"]
    'a-1'
    """
    seen, out, end = set(), "", 0
    for part in re.finditer(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}", pattern):
        name, narrowed = part.groups()
        out += re.escape(pattern[end : part.start()])
        out += f"(?P={name})" if name in seen else f"(?P<{name}>{narrowed or '[^/]+?'})"
        seen.add(name)
        end = part.end()
    return re.compile(out + re.escape(pattern[end:]))


def _pattern(card, folder):
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.nii*"))
    labels = _label_maps(card, files)
    rows = []
    for modality, pattern in card.scans.items():
        for path, match in _matches(pattern, files):
            parts = match.groupdict()
            visit = parts["subject"], parts.get("session")
            row = {"modality": modality, "path": str(folder / path), **parts}
            rows.append(row | {"segmentation": labels.get(visit) and str(folder / labels[visit])})
    return rows


def _label_maps(card, files):
    if not card.segmentation:
        return {}
    matches = _matches(card.segmentation, files)
    return {(match["subject"], match.groupdict().get("session")): path for path, match in matches}


def _matches(pattern, files):
    expression = compile_pattern(pattern)
    return [(path, match) for path in files if (match := expression.fullmatch(path))]


def _bids(folder):
    table = bids2table.index_dataset(folder).to_pandas()
    table = table[(table["datatype"] == "anat") & table["suffix"].isin(SUFFIXES)]
    table = table[table["ext"].isin([".nii", ".nii.gz"])]
    return [
        {
            "subject": row.sub,
            "session": row.ses,
            # BIDS marks an injected contrast agent by the entity `ce`.
            "modality": "T1c" if row.suffix == "T1w" and row.ce else SUFFIXES[row.suffix],
            "path": str(Path(folder, row.path)),
            "segmentation": None,
        }
        for row in table.itertuples()
    ]
