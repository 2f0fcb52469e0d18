"""Hold a contest: every contender in a process of its own, one after the other, turn by turn."""

import multiprocessing
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.contest import Contender, Contest, Found, Work

if TYPE_CHECKING:
    from benchmarks.growth import Line

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class ContenderError(RuntimeError):
    """A contender's process failed; the message holds its traceback."""


def hold(contest: "Contest | Line", turns: int, seconds: float) -> dict[str, Found]:
    """Return what was found of each contender that is installed, by name.

    All get ready first. In each of the `turns` every contender then works for `seconds`, while the others sleep.
    """
    for name in ONE_THREAD:
        os.environ[name] = "1"  # read by the contenders' processes when they import numpy and torch
    with ExitStack() as stack:
        teams = {
            contender.name: stack.enter_context(_team(contender))
            for contender in contest.contenders
            if not contender.missing
        }
        rates: dict[str, list[float]] = {name: [] for name in teams}
        for _ in range(turns):
            for name, team in teams.items():
                rates[name].append(team.rate(seconds))
        return {name: Found(rates[name], team.ready, team.first) for name, team in teams.items()}


class Team:
    """A contender's processes, all of which have answered that they are ready."""

    def __init__(self, name: str, pipes: list[Any], begun: float) -> None:
        self._name = name
        self._pipes = pipes
        self.first = max(self._receive())
        self.ready = time.perf_counter() - begun - self.first

    def rate(self, seconds: float) -> float:
        """Let all processes work for `seconds` at the same time; return their units a second, added up."""
        for pipe in self._pipes:
            pipe.send(seconds)
        return sum(amount / elapsed for amount, elapsed in self._receive())

    def _receive(self) -> list[Any]:
        answers = []
        for pipe in self._pipes:
            try:
                failure, answer = pipe.recv()
            except EOFError:
                failure, answer = "its process died (out of memory?)", None
            if failure:
                raise ContenderError(f"{self._name}: {failure}")
            answers.append(answer)
        return answers


@contextmanager
def _team(contender: Contender) -> Iterator[Team]:
    """Start a contender's processes, wait until they are ready, and end them when the contest is over."""
    context = multiprocessing.get_context("spawn")
    processes, pipes = [], []
    begun = time.perf_counter()
    try:
        for _ in range(contender.processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, contender.build, dict(contender.settings)))
            process.start()
            theirs.close()
            processes.append(process)
            pipes.append(ours)
        yield Team(contender.name, pipes, begun)
    finally:
        for pipe in pipes:
            pipe.close()  # a process that finds its pipe closed ends
        for process in processes:
            process.join()


def _serve(pipe: Any, build: Callable[..., Work], settings: Mapping[str, Any]) -> None:
    """Get ready, then work as long as each number of seconds says that comes through the pipe."""
    try:
        work = build(**settings)
        begun = time.perf_counter()
        work()
        pipe.send(("", time.perf_counter() - begun))
        while True:
            seconds = pipe.recv()
            amount, elapsed, begun = 0, 0.0, time.perf_counter()
            while elapsed < seconds:
                amount += work()
                elapsed = time.perf_counter() - begun
            pipe.send(("", (amount, elapsed)))
    except (EOFError, BrokenPipeError):
        return
    except Exception:
        pipe.send((traceback.format_exc(), None))
