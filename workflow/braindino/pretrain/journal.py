"""metrics.jsonl: one JSON object a logged step."""

import json
from pathlib import Path

from braindino.files import written_whole


class Journal:
    """The metrics of a run so far, in memory and on disk.

    A checkpoint carries `entries`, so the file ends where the weights do when a run resumes, even
    if it was removed in between (Snakemake removes the outputs of a failed job).

    Parameters
    ----------
    path : path
        JSON lines file, replaced by `entries` at once.
    entries : list of dict
        Metrics up to the checkpoint that the run resumes from.
    """

    def __init__(self, path, entries=()):
        self.path = Path(path)
        self.entries = list(entries)
        with written_whole(self.path) as part:
            part.write_text("".join(map(_line, self.entries)))

    def append(self, entry):
        """Add the metrics of one step, on disk at once."""
        self.entries.append(entry)
        with self.path.open("a") as stream:
            stream.write(_line(entry))


def _line(entry):
    return json.dumps(entry) + "\n"
