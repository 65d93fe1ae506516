"""Texts spread over processes: here where they are few, else in a pool while the search for files goes on.

Guarantees an answer for every job, whatever happens to the process it is in, and that none is left behind when a run
is broken off. The order of the answers is not that of the jobs.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from wsantipattern.analysis import Settings, analyze
from wsantipattern.finding import FileError, Finding
from wsantipattern.record import record

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.context import BaseContext

PARALLEL_BYTES = 150_000
"""Bytes of triggered text from which a second process pays for its start."""

BATCH_BYTES = 60_000
"""Bytes of triggered text that one task of a process gets."""

AHEAD = 6
"""Tasks for each process that wait at a time; more of them would only hold texts in memory."""

GARBAGE_THRESHOLD = 50_000
"""New objects between two searches for cycles: a model is hundreds of thousands of objects that live together."""


@record(frozen=True, slots=True)
class Job:
    """One text to analyze: see `analysis.analyze`."""

    path: str
    text: bytes
    ending: str
    settings: Settings


Answer = tuple[list[Finding], list[FileError]]
"""The findings in one text, and what could not be checked in it."""


class Workers:
    """Analyzes jobs: at the end and here where they are few, else in processes while the walk goes on."""

    def __init__(
        self,
        processes: int,
        done: Callable[[list[Finding], list[FileError]], None],
        answered: Callable[[Job, list[Finding]], None] | None = None,
    ) -> None:
        """Takes the number of processes, what is called with each answer, and with each that is free of errors."""
        self._processes = processes
        self._done = done
        self._answered = answered
        self._waiting: list[Job] = []
        self._waiting_bytes = 0
        self._pool: ProcessPoolExecutor | None = None
        self._batches: dict[Future[list[Answer]], list[Job]] = {}
        self._lost: list[Job] = []
        self._threshold = gc.get_threshold()

    def __enter__(self) -> Workers:
        gc.set_threshold(GARBAGE_THRESHOLD, *self._threshold[1:])
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException:
            self._stop()
            raise
        finally:
            gc.set_threshold(*self._threshold)
        if kind is not None:
            self._stop()
        elif self._pool is not None:
            self._pool.shutdown()

    def add(self, job: Job) -> None:
        """Takes a job; it may be answered at once or later."""
        self._waiting.append(job)
        self._waiting_bytes += len(job.text)
        if self._processes == 1:
            if self._waiting_bytes > PARALLEL_BYTES:
                self._here()
        elif self._waiting_bytes > (BATCH_BYTES if self._pool else PARALLEL_BYTES):
            self._submit()

    def _finish(self) -> None:
        if self._pool is None:
            self._here()
            return
        self._submit()
        while self._batches:
            self._collect()
        for job in self._lost:
            self._take(job, _alone(job))

    def _collect(self) -> None:
        """Waits for a task to end, and takes what all that have ended give."""
        from concurrent.futures import FIRST_COMPLETED, wait
        from concurrent.futures.process import BrokenProcessPool

        for future in wait(self._batches, return_when=FIRST_COMPLETED).done:
            batch = self._batches.pop(future)
            try:
                answers = future.result()
            except BrokenProcessPool:
                self._lost += batch
                continue
            for job, answer in zip(batch, answers, strict=True):
                self._take(job, answer)

    def _take(self, job: Job, answer: Answer) -> None:
        findings, errors = answer
        if self._answered is not None and not errors:
            self._answered(job, findings)
        self._done(findings, errors)

    def _here(self) -> None:
        for job in self._waiting:
            self._take(job, analyze(job.text, job.path, job.settings, job.ending))
        self._waiting, self._waiting_bytes = [], 0

    def _submit(self) -> None:
        if self._pool is None:
            self._pool = _new_pool(self._processes)
        batch: list[Job] = []
        size = 0
        for job in self._waiting:
            batch.append(job)
            size += len(job.text)
            if size >= BATCH_BYTES:
                self._send(batch)
                batch, size = [], 0
        if batch:
            self._send(batch)
        self._waiting, self._waiting_bytes = [], 0

    def _send(self, batch: list[Job]) -> None:
        from concurrent.futures.process import BrokenProcessPool

        while len(self._batches) >= AHEAD * self._processes:
            self._collect()
        assert self._pool is not None
        try:
            self._batches[self._pool.submit(_answer, batch)] = batch
        except BrokenProcessPool:
            # One process of the pool died: so did the pool, and another one takes the rest.
            self._lost += batch
            while self._batches:
                self._collect()
            self._pool.shutdown()
            self._pool = _new_pool(self._processes)

    def _stop(self) -> None:
        """Leaves no process behind, whatever it is doing."""
        if self._pool is not None:
            running = list((getattr(self._pool, "_processes", None) or {}).values())
            for process in running:
                process.terminate()
            # The pool's own thread must be gone before the interpreter ends: else the two close one pipe, now and then.
            self._pool.shutdown(wait=True, cancel_futures=True)


def _answer(batch: list[Job]) -> list[Answer]:
    return [analyze(job.text, job.path, job.settings, job.ending) for job in batch]


def _alone(job: Job) -> Answer:
    """Analyzes a job in a process of its own, after the process it shared with others died."""
    from concurrent.futures.process import BrokenProcessPool

    with _new_pool(1) as pool:
        try:
            return pool.submit(_answer, [job]).result()[0]
        except BrokenProcessPool:
            return [], [FileError(job.path, "the process that checked it died")]


def _new_pool(processes: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Elsewhere than on Linux, a forked process may not use what its parent had open.
    context: BaseContext = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_in_worker)


def _in_worker() -> None:
    import signal

    # What the parent had made before it forked will not go away: no need to look through it for cycles.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, *gc.get_threshold()[1:])
    # Ctrl-C reaches the whole process group; the parent ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def processors() -> int:
    """How many processes this one may keep busy."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
