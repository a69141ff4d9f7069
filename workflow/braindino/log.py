"""A log file a job; bad input and a full disk end in one sentence, a bug in its traceback."""

import contextlib
import errno
import logging
import sys
from pathlib import Path

from braindino.errors import BadInput

BAD_INPUT = "Bad input: "


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
        mark = BAD_INPUT if isinstance(error, BadInput) else ""
        logging.error("%s%s", mark, error)
        sys.exit(getattr(error, "status", 1))
    except Exception as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            logging.error("The disk is full (%s): make room and run the same command again.", error)
            sys.exit(1)
        logging.exception("The job failed.")
        raise
    finally:
        logging.shutdown()


def ended_by_bad_input(path):
    """Whether the job of a log file ended on what a person must mend: to run it again is no use."""
    return any(BAD_INPUT in line for line in last_lines(path))


def last_lines(path, count=5):
    """Return the last lines of a text file that are not empty; none of a file that is not there."""
    path = Path(path)
    text = path.read_text(errors="replace") if path.is_file() else ""
    return [line for line in text.splitlines() if line.strip()][-count:]
