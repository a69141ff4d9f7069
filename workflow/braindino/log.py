"""A log file a job; bad input ends in one sentence, a bug in its traceback."""

import contextlib
import logging
import sys
from pathlib import Path

from braindino.errors import BadInput


@contextlib.contextmanager
def job_log(path):
    """Log a job's messages to `path` and to stderr.

    Raises
    ------
    SystemExit
        When the job raises `BadInput`; the exit message is its sentence.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handlers = [logging.FileHandler(path, mode="w"), logging.StreamHandler()]
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers, force=True
    )
    try:
        yield logging.getLogger("braindino")
    except BadInput as error:
        logging.error("%s", error)
        sys.exit(1)
    except Exception:
        logging.exception("The job failed.")
        raise
    finally:
        logging.shutdown()
