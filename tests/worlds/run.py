"""Many worlds, on every core: what did not hold, how fast they go, and how often a person is asked.

python -m tests.worlds.run --worlds 20000            all of them, with the stories of the first that fail
python -m tests.worlds.run --seed 7                  one world again, with its story
python -m tests.worlds.run --without whole-refusals  a rule taken out of the code: the worlds must notice
python -m tests.worlds.run --without all             each rule taken out, as a table
"""

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.worlds.rules import RULES, take_out
from tests.worlds.world import Result, play

_AT_ONCE = 25
_COLLECT_AFTER = 50_000
_SHOWN_AFTER = 1000


def play_many(seeds: Iterable[int]) -> list[Result]:
    """Play worlds one after the other; only failures keep their story."""
    return [play(seed) for seed in seeds]


def prepare(rule: str | None) -> None:
    """Make a process ready for worlds, without a rule if one is named."""
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 50, 50)
    if rule:
        take_out(rule)


def play_on_all_cores(seeds: range, rule: str | None, processes: int) -> list[Result]:
    """Play worlds in processes of their own."""
    chunks = [seeds[start : start + _AT_ONCE] for start in range(0, len(seeds), _AT_ONCE)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=prepare, initargs=(rule,)) as pool:
        found: list[Result] = []
        for chunk, results in zip(chunks, pool.map(play_many, chunks), strict=True):
            found += results
            for seed, result in zip(chunk, results, strict=True):
                if result.violation and rule is None:
                    print(f"SEED={seed}: {result.violation.kind}", file=sys.stderr)  # noqa: T201
            if len(found) % _SHOWN_AFTER == 0:
                failed = sum(result.violation is not None for result in found)
                print(f"{len(found)} of {len(seeds)} worlds, {failed} do not hold", file=sys.stderr)  # noqa: T201
        return found


def figures(results: Sequence[Result], seconds: float) -> str:
    """What the worlds came to, as lines."""
    kinds = Counter(result.violation.kind for result in results if result.violation)
    leads, acts, runs = (sum(getattr(result, name) for result in results) for name in ("leads", "acts", "runs"))
    core_seconds = max(sum(result.seconds for result in results), 0.001)
    speed = f"{len(results) / seconds:.1f} worlds a second, {len(results) / core_seconds:.1f} a second of one core"
    lines = [
        f"{len(results)} worlds, {leads} leads, {acts} acts, {runs} runs: {speed}",
        f"do not hold: {kinds.total()}" + "".join(f"\n  {kind}: {count}" for kind, count in kinds.most_common()),
    ]
    known = "as documented and as we know it"
    for name, some in (
        ("all LeadBytes", results),
        (known, [one for one in results if one.plain]),
        (f"{known}, on a fair line, and the ledger kept", [one for one in results if one.calm]),
    ):
        leads, reviews = sum(result.leads for result in some), sum(result.reviews for result in some)
        failed = sum(result.violation is not None for result in some)
        per_1000 = 1000 * reviews / max(leads, 1)
        lines.append(f"{name}: {len(some)} worlds, {failed} do not hold, {per_1000:.1f} reviews per 1,000 leads")
    return "\n".join(lines)


def table(seeds: range, processes: int) -> str:
    """What the worlds find of each rule that is taken out, a line a rule."""
    lines = []
    for rule in RULES:
        results = play_on_all_cores(seeds, rule, processes)
        kinds = Counter(result.violation.kind for result in results if result.violation)
        found = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
        lines.append(f"{rule:18}{kinds.total()} of {len(results)} worlds: {found}")
    return "\n".join(lines)


def main() -> int:
    """Play, print, and return 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="play this world alone")
    parser.add_argument("--without", choices=[*RULES, "all"], metavar="RULE", help=f"all, or: {', '.join(RULES)}")
    parser.add_argument("--stories", type=int, default=1, help="how many failures of each kind are told")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.worlds)
    if asked.without == "all":
        print(table(seeds, asked.processes))  # noqa: T201
        return 0
    start = time.monotonic()
    if asked.seed is not None:
        prepare(asked.without)
        results = play_many([asked.seed])
    else:
        results = play_on_all_cores(seeds, asked.without, asked.processes)
    told: Counter[str] = Counter()
    for result in results:
        if result.violation and told[result.violation.kind] < asked.stories:
            told[result.violation.kind] += 1
            print(f"{result.story}\nagain: make worlds SEED={result.seed}\n")  # noqa: T201
    print(figures(results, time.monotonic() - start))  # noqa: T201
    return int(any(result.violation for result in results))


if __name__ == "__main__":
    raise SystemExit(main())
