"""Read ahead: the next items are computed on threads while the caller works on this one."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice


def read_ahead(items, work, workers=1):
    """Yield `work(item)` of each item, in order, while the next ones are computed on threads.

    Threads suffice where `work` is decompression, numpy or torch, which release Python's lock.
    At most `workers` results exist beyond the one that the caller holds, so memory is bounded.

    Parameters
    ----------
    items : iterable
        Drawn from one at a time, never read to its end beforehand.
    work : callable
        One item → one result. An error is raised at its item's turn and ends the iteration; a
        `work` that should not stop the rest returns its error instead.
    workers : int
        Threads, and items in flight.
    """
    waiting = iter(items)
    pool = ThreadPoolExecutor(workers)
    try:
        queue = deque(pool.submit(work, item) for item in islice(waiting, workers))
        while queue:
            result = queue.popleft().result()
            queue.extend(pool.submit(work, item) for item in islice(waiting, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
