"""A log file a job; bad input and a full disk end in one sentence, a bug in its traceback."""

import contextlib
import errno
import logging
import sys
from pathlib import Path

from braindino.errors import BadInput


@contextlib.contextmanager
def job_log(path, *explained):
    """Log a job's messages to `path` and to stderr.

    Parameters
    ----------
    path : path
        The job's log file.
    explained : exception types
        Besides `BadInput`, errors whose message says all that a person needs.

    Raises
    ------
    SystemExit
        With the error's `status`, or 1, after its message was logged.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handlers = [logging.FileHandler(path, mode="w"), logging.StreamHandler()]
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers, force=True
    )
    try:
        yield logging.getLogger("braindino")
    except (BadInput, *explained) as error:
        logging.error("%s", error)
        sys.exit(getattr(error, "status", 1))
    except Exception as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            logging.error("The disk is full (%s): make room and run the same command again.", error)
            sys.exit(1)
        logging.exception("The job failed.")
        raise
    finally:
        logging.shutdown()
