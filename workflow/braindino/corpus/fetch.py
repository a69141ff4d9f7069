"""Fetch the openly downloadable cohorts of a run; say of the others how to get them."""

import contextlib
import logging
import os
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from braindino.corpus.availability import availability
from braindino.corpus.download import download, open_session
from braindino.corpus.plan import Plan, check_space
from braindino.corpus.sources import list_remote
from braindino.corpus.unpack import unpack
from braindino.errors import BadInput
from braindino.files import sha256, write_table

log = logging.getLogger(__name__)

NEEDS = {
    "open": "is open, but has no address from which a program may take it",
    "registration": "needs a registration",
    "agreement": "needs a data-use agreement",
}


def fetch(run, records):
    """Download the cohorts of a run that are absent and open; go on where a fetch broke off.

    A cohort grows in `<folder>.part` and is renamed when it is complete, so that no run takes
    half a cohort for the whole.

    Parameters
    ----------
    run : braindino.settings.load.Run
    records : path
        Folder of the records: `<dataset>.csv` with file, url, bytes, md5, sha256.

    Raises
    ------
    BadInput
        Before anything is downloaded, when there is no place for it; at the end, when a cohort
        could not be fetched. A cohort that has to be asked for is no error.
    """
    cards = _wanted(run)
    if not cards:
        log.info("fetch: nothing to download.")
        return
    root, session, plans, failed = _root(run.config), open_session(), [], []
    for card in cards:
        with _noting(failed, card):
            log.info("%s: asking for its files and their sizes", card.name)
            plans.append(Plan(card, Path(root, card.folder), list_remote(session, card)))
    check_space(plans, root)
    for plan in plans:
        with _noting(failed, plan.card):
            fetch_cohort(session, plan, Path(records, f"{plan.card.name}.csv"))
    if failed:
        raise BadInput(f"fetch: {', '.join(failed)}: see above; run fetch again, it goes on.")


def refusal(card, root):
    """Say whom to ask for a cohort that cannot be fetched, and where to put it."""
    folder = Path(root or "<data_root>", card.folder)
    return (
        f"{card.name} {NEEDS[card.access]}: {card.how_to_get.rstrip('.')} ({card.homepage}). "
        f"Put it into {folder}."
    )


def fetch_cohort(session, plan, record):
    """Download and unpack one cohort, write its record and give the cohort its name."""
    _download_all(session, plan)
    for archive in plan.archives:
        unpack(archive, archive.parent)
    write_table(_record(plan), record)
    # Archives outlive their unpacking: an interrupted fetch need not download them again.
    for archive in plan.archives:
        archive.unlink()
    plan.stage.rename(plan.folder)
    log.info("%s: complete in %s", plan.card.name, plan.folder)


def _download_all(session, plan):
    bar = tqdm(
        desc=plan.card.name,
        total=plan.bytes,
        initial=plan.here,
        disable=None,  # off where stderr is no terminal
        unit="B",
        unit_scale=True,
        unit_divisor=1024,
    )
    with bar:
        for file in plan.files:
            download(session, file, plan.stage / file.path, bar.update)


def _wanted(run):
    """Return the cards to download; log why the others are not among them."""
    status = {row.name: row.status for row in availability(run).values() if row.kind == "dataset"}
    absent = [card for card in run.datasets.values() if status[card.name] == "absent"]
    here = [name for name in status if status[name] != "absent"]
    log.info("here already, or phantoms: %s", ", ".join(here) or "none")
    for card in absent:
        if not card.download:
            log.warning("%s", refusal(card, run.config.data_root))
    return [card for card in absent if card.download]


def _root(config):
    if not config.data_root:
        raise BadInput(
            "data_root: not set; set it in the configuration, or the BRAINDINO_DATA variable, to "
            "the folder that shall hold the cohorts."
        )
    if not os.access(config.data_root, os.W_OK):
        raise BadInput(f"data_root: you may not write into {config.data_root}; ask who owns it.")
    return config.data_root


@contextlib.contextmanager
def _noting(failed, card):
    """Let one cohort fail without the others."""
    try:
        yield
    except BadInput as error:
        log.error("%s: %s", card.name, error)
        failed.append(card.name)


def _record(plan):
    rows = []
    for file in plan.files:
        path = plan.stage / file.path
        rows.append((file.path, file.url, path.stat().st_size, file.md5, sha256(path)))
    return pd.DataFrame(rows, columns=["file", "url", "bytes", "md5", "sha256"])
