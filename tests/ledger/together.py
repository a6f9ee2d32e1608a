"""Doing several things at the same moment, in threads of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def together(*steps: Callable[[], T]) -> list[T]:
    """Start all steps at once and give what each returned, in their order; an error of one is raised."""
    start = Barrier(len(steps))

    def run(step: Callable[[], T]) -> T:
        start.wait(30)
        return step()

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))
