"""Fetch the open cohorts and HD-BET's weights for a run; say of other cohorts how to get them."""

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
from braindino.corpus.weights import plan_weights
from braindino.errors import BadInput
from braindino.files import sha256, write_table

log = logging.getLogger(__name__)

NEEDS = {
    "open": "is open, but has no address from which a program may take it",
    "registration": "needs a registration",
    "agreement": "needs a data-use agreement",
}


def fetch(run, records):
    """Download what a run lacks and anyone may have; go on where a fetch broke off.

    A cohort grows in `<folder>.part` and is renamed when it is complete, so that no run takes
    half a cohort for the whole. So do the weights of hd-bet 2.x, where the run uses them.

    Parameters
    ----------
    run : braindino.settings.load.Run
    records : path
        Folder of the records: `<dataset>.csv` with file, url, bytes, md5, sha256.

    Raises
    ------
    BadInput
        Before anything is downloaded, when there is no place for it; at the end, when something
        could not be fetched. A cohort that has to be asked for is no error.
    """
    session, failed = open_session(), []
    cohorts, weights = _plan_cohorts(session, run, failed), []
    with _noting(failed, "hd-bet"):
        weights = plan_weights(session, run.config.imaging.skull_strip)
    if cohorts:
        check_space(cohorts, run.config.data_root)
    if weights:
        check_space(weights, weights[0].folder)
    if not (cohorts or weights or failed):
        log.info("fetch: nothing to download.")
    for plan in cohorts + weights:
        with _noting(failed, plan.name):
            fetch_plan(session, plan, Path(records, f"{plan.name}.csv"))
    if failed:
        raise BadInput(f"fetch: {', '.join(failed)}: see above; run fetch again, it goes on.")


def refusal(card, root):
    """Say whom to ask for a cohort that cannot be fetched, and where to put it."""
    folder = Path(root or "<data_root>", card.folder)
    return (
        f"{card.name} {NEEDS[card.access]}: {card.how_to_get.rstrip('.')} ({card.homepage}). "
        f"Put it into {folder}."
    )


def fetch_plan(session, plan, record):
    """Download and unpack all of a plan, write its record and give the folder its name."""
    _download_all(session, plan)
    for archive in plan.archives:
        unpack(archive, archive.parent)
    write_table(_record(plan), record)
    # Archives outlive their unpacking: an interrupted fetch need not download them again.
    for archive in plan.archives:
        archive.unlink()
    plan.stage.rename(plan.folder)
    log.info("%s: complete in %s", plan.name, plan.folder)


def _download_all(session, plan):
    bar = tqdm(
        desc=plan.name,
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


def _plan_cohorts(session, run, failed):
    plans, cards = [], _wanted(run)
    root = _root(run.config) if cards else None
    for card in cards:
        with _noting(failed, card.name):
            log.info("%s: asking for its files and their sizes", card.name)
            plans.append(Plan(card.name, Path(root, card.folder), list_remote(session, card)))
    return plans


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
def _noting(failed, name):
    """Let one cohort fail without the others."""
    try:
        yield
    except BadInput as error:
        log.error("%s: %s", name, error)
        failed.append(name)


def _record(plan):
    rows = []
    for file in plan.files:
        path = plan.stage / file.path
        rows.append((file.path, file.url, path.stat().st_size, file.md5, sha256(path)))
    return pd.DataFrame(rows, columns=["file", "url", "bytes", "md5", "sha256"])
