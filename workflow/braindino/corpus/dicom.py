"""DICOM archives: one NIfTI a visit and contrast, and for every other series why not."""

import logging
import math
import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from pydicom import config
from tqdm import tqdm

from braindino.corpus.chunks import chunk_of
from braindino.corpus.columns import REJECTS, SCANS
from braindino.corpus.contrasts import tell_contrast
from braindino.corpus.convert import ConversionError, convert_stack
from braindino.corpus.dicom_facts import FACTS, facts
from braindino.corpus.dicom_files import number, text
from braindino.corpus.patterns import compile_pattern
from braindino.corpus.scans import ONLY_SESSION
from braindino.corpus.series import Stack, find_fault, read_stacks

log = logging.getLogger(__name__)


class Candidate(NamedTuple):
    """A stack that may be a visit's volume of its contrast."""

    parts: dict
    contrast: str
    stack: Stack


@config.disable_value_validation()
def convert_series(card, folder, out, chunk, chunks, protocol):
    """Convert the structural series of a chunk of a DICOM archive's patients.

    Of several series of one contrast in a visit, the one with the thinnest slices is used, then
    the one with most slices, then the first. Nothing that a file holds raises an error.

    Parameters
    ----------
    card : braindino.settings.cards.DatasetCard
    folder : path
        The cohort's folder, one folder a patient.
    out : path
        Receives `<patient's folder>/<subject>_<session>_<contrast>.nii.gz` and its sidecar.
    chunk, chunks : int
        Which of how many chunks; a patient's folder is in the chunk that its name hashes to.
    protocol : braindino.settings.corpus.Corpus

    Returns
    -------
    scans : DataFrame
        subject, session, modality, path, segmentation, vendor, field_strength (T),
        slice_thickness (mm), age (years), sex, description, and the other parts that the card's
        `series` names; sorted by path. Empty where no patient is in the chunk.
    rejects : DataFrame
        volume_id, stage, reason: the series left out, sorted.
    """
    patients = [path for path in sorted(Path(folder).iterdir()) if path.is_dir()]
    patients = [path for path in patients if chunk_of(path.name, chunks) == chunk]
    scans, rejects = [], []
    for patient in tqdm(patients, disable=None, unit="patient"):
        stacks, strangers = read_stacks(patient)
        candidates, left = _choose(card, Path(folder), stacks, protocol.min_slices)
        used, others = _convert_best(candidates, Path(out, patient.name))
        scans += used
        rejects += [_reject(card, *why) for why in left + others]
        rejects += _strangers(card, patient, strangers)
    for volume_id, _, reason in rejects:
        log.warning("rejected: %s: %s", volume_id, reason)
    frame = pd.DataFrame(scans, columns=None if scans else SCANS + FACTS)
    rejects = pd.DataFrame(sorted(rejects), columns=REJECTS)
    return frame.sort_values("path", ignore_index=True), rejects


def _choose(card, folder, stacks, min_slices):
    """Part the stacks into candidates and (parts, stack, reason)."""
    candidates, left = [], []
    for stack in stacks:
        parts, reason = _parts(card, folder, stack)
        contrast, rule = tell_contrast(stack.header)
        reason = reason or (rule if contrast is None else None)
        if not reason and stack.slices < min_slices:
            reason = f"short stack: {stack.slices} slices, {min_slices} are needed"
        if reason := reason or find_fault(stack):
            left.append((parts, stack, reason))
        else:
            candidates.append(Candidate(parts, contrast, stack))
    return candidates, left


def _parts(card, folder, stack):
    """Name a stack's subject, session and other parts; and why its folder's name is wrong."""
    where = stack.files[0].path.parent.relative_to(folder).as_posix()
    match = compile_pattern(card.series).fullmatch(where) if card.series else None
    subject = text(stack.dataset, "PatientID") or where.split("/")[0]
    header = {"subject": subject, "session": text(stack.dataset, "StudyDate") or ONLY_SESSION}
    parts = header | (match.groupdict() if match else {})
    parts = {name: part and part.replace("/", "-") for name, part in parts.items()}
    wrong = card.series and not match
    return parts, f"{where} does not match the card's 'series' ({card.series})" if wrong else None


def _convert_best(candidates, out):
    """Convert the best stack of each visit and contrast; others wait in case it fails."""
    scans, rejects, used = [], [], {}
    for parts, contrast, stack in sorted(candidates, key=_rank):
        visit = parts["subject"], parts["session"], contrast
        if visit in used:
            other = f"{_title(used[visit])}, series {text(used[visit].dataset, 'SeriesNumber')}"
            reason = f"another {contrast} series of the visit is used ({other})"
            rejects.append((parts, stack, reason))
            continue
        path = out / (re.sub(r"[^\w.+-]+", "-", "_".join(visit)) + ".nii.gz")
        try:
            convert_stack([file.path for file in stack.files], path)
        except ConversionError as error:
            syntax = stack.dataset.file_meta.get("TransferSyntaxUID")
            reason = f"{error}; its pixels are {getattr(syntax, 'name', 'of unknown encoding')}"
            rejects.append((parts, stack, reason))
            continue
        used[visit] = stack
        scans.append(_scan(parts, contrast, path, stack))
    return scans, rejects


def _rank(candidate):
    stack = candidate.stack
    thickness = stack.thickness if stack.thickness > 0 else math.inf
    first = number(stack.dataset, "SeriesNumber")
    return (
        (thickness, -stack.slices, first if first >= 0 else math.inf),
        (text(stack.dataset, "SeriesInstanceUID"), stack.files[0].path),
    )


def _scan(parts, contrast, path, stack):
    scan = {
        "subject": parts["subject"],
        "session": parts["session"],
        "modality": contrast,
        "path": str(path),
        "segmentation": None,
    }
    scan |= facts(stack)
    return scan | {name: part for name, part in parts.items() if name not in scan}


def _title(stack):
    return stack.header.description or text(stack.dataset, "SeriesInstanceUID")


def _reject(card, parts, stack, reason):
    visit = f"{card.name}/{parts['subject']}/{parts['session']}"
    return f"{visit}/{_title(stack).replace('/', '-')}", "dicom", reason


def _strangers(card, patient, strangers):
    if not strangers:
        return []
    first = strangers[0].relative_to(patient).as_posix()
    reason = f"files that are no readable DICOM: {len(strangers)} (first: {first})"
    return [(f"{card.name}/{patient.name}/-/unreadable files", "dicom", reason)]
