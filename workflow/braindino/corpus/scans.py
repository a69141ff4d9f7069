"""Find a cohort's scans as its archive ships them: BIDS, or path patterns."""

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path

import bids2table
import pandas as pd

from braindino.corpus.columns import SCANS
from braindino.corpus.patterns import compile_pattern
from braindino.errors import BadInput

SUFFIXES = {"T1w": "T1w", "T2w": "T2w", "FLAIR": "FLAIR", "PDw": "PDw", "PD": "PDw"}
IMAGES = (".nii", ".nii.gz", ".img")
# Every scan has a session in its volume_id; archives of one visit do not name theirs.
ONLY_SESSION = "1"


def find_scans(card, folder):
    """List the structural scans of a cohort that ships NIfTI or Analyze files.

    Parameters
    ----------
    card : braindino.settings.cards.DatasetCard
    folder : path
        The cohort's folder.

    Returns
    -------
    scans : DataFrame
        Columns subject, session, modality, path, segmentation and the pattern's other named
        parts (e.g. site), sorted by path.
    notes : list of (issue, count, example)
        Images that the card does not know, and signs of another release.

    Raises
    ------
    BadInput
        When nothing matches the card.
    """
    files = list_files(folder)
    rows = _bids(folder) if card.reader == "bids" else _pattern(card, files)
    notes = check_release(card, folder, files, found=bool(rows))
    scans = pd.DataFrame(rows)
    notes += _unknown_images(card, files, scans)
    for column in ("path", "segmentation"):
        scans[column] = [path and str(Path(folder, path)) for path in scans[column]]
    return complete(scans), notes


def check_release(card, folder, files, found):
    """Note the paths that betray another release of the cohort.

    Parameters
    ----------
    card : braindino.settings.cards.DatasetCard
    folder : path
    files : list of str
        As `list_files` returns them.
    found : bool
        Whether any scan was.

    Returns
    -------
    list of (issue, count, example)

    Raises
    ------
    BadInput
        When no scan was found, with what is there instead.
    """
    signs = []
    for glob, release in card.other_releases.items():
        if matches := [file for file in files if fnmatchcase(file, glob)]:
            signs.append((f"another release? {release}", len(matches), matches[0]))
    if not found:
        raise BadInput(_nothing_found(card, folder, files, signs))
    return signs


def complete(scans):
    """Give scans every column, a session and the order of their paths."""
    scans = scans.reindex(columns=[*SCANS, *(c for c in scans if c not in SCANS)])
    scans["session"] = scans["session"].astype(object).where(scans["session"].notna(), ONLY_SESSION)
    return scans.sort_values("path", ignore_index=True)


def list_files(folder):
    """List a folder's files, hidden ones aside, as sorted paths below it with '/'."""
    found = []
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(parent).relative_to(folder).as_posix()
        prefix = "" if below == "." else f"{below}/"
        found += [prefix + name for name in names if not name.startswith(".")]
    return sorted(found)


def _pattern(card, files):
    images = [file for file in files if file.endswith(IMAGES)]
    labels = _label_maps(card, images)
    rows = []
    for modality, patterns in card.scans.items():
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            for path, match in _matches(pattern, images):
                parts = match.groupdict()
                label_map = labels.get((parts["subject"], parts.get("session")))
                known = {"modality": modality, "path": path, "segmentation": label_map}
                rows.append(parts | known)
    return rows


def _label_maps(card, images):
    if not card.segmentation:
        return {}
    matches = _matches(card.segmentation, images)
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
            "path": row.path,
            "segmentation": None,
        }
        for row in table.itertuples()
    ]


def _unknown_images(card, files, scans):
    """Note the images that the card neither reads nor ignores."""
    known = {*scans["path"], *scans["segmentation"].dropna()}
    unknown = [
        file
        for file in files
        if file.endswith(IMAGES)
        and file not in known
        and not any(fnmatchcase(file, glob) for glob in card.ignored)
        and not (card.reader == "bids" and _is_other_bids(file))
    ]
    if not unknown:
        return []
    return [("images that no pattern of the card matches", len(unknown), unknown[0])]


def _is_other_bids(file):
    """Tell whether a path of a BIDS folder lies outside the subjects' anat folders."""
    return not re.match(r"sub-[^/]+/(ses-[^/]+/)?anat/", file) and bool(
        re.match(r"(sub-[^/]+/(ses-[^/]+/)?[a-z]+|derivatives|sourcedata|code|stimuli)/", file)
    )


def _nothing_found(card, folder, files, signs):
    wanted = {
        "bids": "BIDS anat scans",
        "pattern": ", ".join(map(str, card.scans.values())),
        "dicom": "structural DICOM series; the log of the conversion says why others were left out",
    }[card.reader]
    images = [file for file in files if file.endswith(IMAGES)]
    there = f"it holds {len(files)} files, {len(images)} of them images"
    example = f", e.g. {(images or files)[0]}" if files else ""
    release = "; " + "; ".join(issue for issue, *_ in signs) if signs else ""
    return (
        f"config/datasets/{card.name}.yaml: nothing below {folder} matches the card ({wanted}): "
        f"{there}{example}{release}; check the folder against the card's layout."
    )
