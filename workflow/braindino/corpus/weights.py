"""What the `fetch` target downloads of HD-BET 2.x: its weights, where a run uses them."""

import os
from pathlib import Path

from HD_BET.paths import ZENODO_DOWNLOAD_URL

from braindino.corpus.disk import existing
from braindino.corpus.download import Remote
from braindino.corpus.plan import Plan
from braindino.corpus.sources import remote_size
from braindino.errors import BadInput
from braindino.imaging.hdbet_2024 import missing_weights


def plan_weights(session, protocol):
    """Plan the download of the weights, unless they are there or not used.

    Parameters
    ----------
    session : requests.Session
    protocol : braindino.settings.imaging.SkullStrip

    Returns
    -------
    list of Plan
        Of one or none.

    Raises
    ------
    BadInput
        When the folder holds something else, may not be written, or the server is out of reach.
    """
    folder = Path(protocol.weights).expanduser()
    if protocol.backend != "hd-bet" or not (missing := missing_weights(folder)):
        return []
    if folder.exists():
        raise BadInput(f"{folder} lacks {', '.join(missing)}; add them, or remove the folder.")
    if not os.access(parent := existing(folder), os.W_OK):
        raise BadInput(f"you may not write into {parent}; set imaging.skull_strip.weights.")
    # The record's md5 is not in the package; unpacking checks the zip's own sums.
    size = remote_size(session, ZENODO_DOWNLOAD_URL)
    return [Plan("hd-bet", folder, [Remote(ZENODO_DOWNLOAD_URL, "release.zip", size, unpack=True)])]
