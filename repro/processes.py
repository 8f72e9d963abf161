"""Processes and threads: independent pieces of work side by side, small ones on one thread."""

import ctypes
import gc
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Result = TypeVar("Result")


def side_by_side(
    work: Callable[..., Result], tasks: Sequence[tuple], *, workers: int
) -> Iterator[Result]:
    """What ``work(*task)`` gives, in the order of the tasks, each as soon as it is known.

    Parameters
    ----------
    work : a module's function, as fresh processes import it
    workers : processes; with one, or one task, the work is done in this one

    Notes
    -----
    What a task raises comes through, and the tasks not begun are given up. The processes end with
    this one, even if it is killed: a run that resumes is alone with its files.
    """
    workers = min(workers, len(tasks))
    if workers < 2:
        yield from (work(*task) for task in tasks)
        return
    _give_memory_back()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        futures = [pool.submit(work, *task) for task in tasks]
        try:
            for future in futures:
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _give_memory_back() -> None:
    """What this process freed goes back to the system, for the processes that are to come.

    After a training glibc keeps a gigabyte and more of it; elsewhere nothing is done.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def beside_others() -> bool:
    """Whether this is a process of ``side_by_side``: its bars would run over the others'."""
    return multiprocessing.parent_process() is not None


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: with tensors this small, more threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
