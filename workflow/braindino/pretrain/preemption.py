"""Signals that ask a run to leave: the scheduler's and the user's."""

import signal
import threading

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class Interrupted(Exception):
    """The run was asked to stop; its checkpoint is written, and running it again goes on there.

    Parameters
    ----------
    message : str
    signal : signal.Signals, optional
        What asked.
    """

    status = 75  # of the process: EX_TEMPFAIL of sysexits.h, for schedulers that requeue by it

    def __init__(self, message, signal=None):
        super().__init__(message)
        self.signal = signal


class Preemption:
    """Remember a signal while a `with` block runs, instead of dying in the middle of a step.

    Outside the main thread, where Python handles no signals, it never triggers.
    """

    def __init__(self):
        self.signal = None
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, _frame):
        self.signal = signal.Signals(number)
