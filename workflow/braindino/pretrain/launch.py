"""One process, or one a GPU: a run is the same."""

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import torch
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException, start_processes

from braindino.errors import BadInput
from braindino.log import ended_by_bad_input, job_log
from braindino.pretrain.preemption import SIGNALS, Interrupted


class ProcessFailed(RuntimeError):
    """One of several processes failed; the message names its log."""


def count_processes(device):
    """Return how many processes this node should run: one a GPU that the job was given."""
    wanted = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    return max(1, torch.cuda.device_count()) if wanted else 1


def launch(processes, log, work, *arguments, **named):
    """Call `work(*arguments, **named)` here, or in several processes of this node.

    Signals that ask a run to leave are passed on to all of them, which then stop together.

    Parameters
    ----------
    processes : int
    log : path
        The job's log file; of several processes each writes its own, beside it.
    work : callable
        Importable by its name.

    Raises
    ------
    Interrupted
        When the processes stopped on a signal, their checkpoint written.
    BadInput, ProcessFailed
        When one failed, on what a person must mend or on something else, naming its log.
    """
    if processes == 1:
        work(*arguments, **named)
        return
    started = (processes, _free_port(), log, work, arguments, named)
    with _main_kept_back():
        context = start_processes(_work, started, processes, join=False, start_method="spawn")
    came = []
    before = {number: signal.signal(number, _forward_to(context, came)) for number in SIGNALS}
    try:
        while not context.join():
            pass
    except (ProcessExitedException, ProcessRaisedException) as error:
        if getattr(error, "exit_code", None) == Interrupted.status:
            raise Interrupted(
                "stopped by a signal; checkpoint written, run again to go on",
                came[-1] if came else None,
            ) from None
        raise _failure(log_of(log, error.error_index), error.error_index) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def log_of(log, rank):
    """Return the log file of one of several processes."""
    return Path(log).with_suffix(f".{rank}.log")


@contextlib.contextmanager
def _main_kept_back():
    """Keep started processes from running this one's script again, as Python has them do.

    Scripts of Snakemake do their work without asking whether they are the main module.
    """
    main = vars(sys.modules["__main__"])
    file = main.pop("__file__", None)
    try:
        yield
    finally:
        if file is not None:
            main["__file__"] = file


def _failure(log, rank):
    kind = BadInput if ended_by_bad_input(log) else ProcessFailed
    return kind(f"process {rank} of the training failed; {log} says why")


def _forward_to(context, came):
    def forward(number, _frame):
        came.append(signal.Signals(number))
        for process in context.processes:
            if process.is_alive():
                os.kill(process.pid, number)

    return forward


def _work(rank, processes, port, log, work, arguments, named):
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "MASTER_PORT": port}
    os.environ |= {"MASTER_ADDR": "127.0.0.1"} | {name: str(n) for name, n in names.items()}
    with job_log(log_of(log, rank), Interrupted, FloatingPointError):
        work(*arguments, **named)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
