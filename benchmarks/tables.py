"""Measurements as Markdown: medians, paired ratios with their range, and whether the aims are met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measure import Measured
from benchmarks.programs import OURS

MOST_PEAK_MB = 150
MOST_SPEC_SECONDS = 0.2
_MOST_SPREAD = 0.3


@dataclass(frozen=True)
class Ratio:
    """How many times a peer's figure is ours, round by round: the two runs of a round stand next to each other."""

    rounds: list[float]

    @property
    def middle(self) -> float:
        return median(self.rounds)

    @property
    def spread(self) -> float:
        """From the smallest to the largest, as a part of the middle."""
        return (max(self.rounds) - min(self.rounds)) / self.middle

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({min(self.rounds):.2f} to {max(self.rounds):.2f})"


def table(runs: Mapping[str, Sequence[Measured]], records: int, aims: Mapping[str, float]) -> Iterator[str]:
    """The lines of a table, then a line for each aim: how many times as fast as a peer we mean to be."""
    yield "| program | wall s | CPU s | peak MB | records/s | its wall / ours | its CPU / ours |"
    yield "| --- | --: | --: | --: | --: | --: | --: |"
    ours = runs[OURS]
    for name, measured in runs.items():
        wall, cpu, peak = (median(values) for values in _columns(measured))
        ratios = ["1", "1"]
        if name != OURS:
            ratios = [str(_wall_ratio(measured, ours)), str(Ratio([a.cpu / b.cpu for a, b in _pairs(measured, ours)]))]
        cells = [name, f"{wall:.2f}", f"{cpu:.2f}", f"{peak:.0f}", f"{records / wall:,.0f}", *ratios]
        yield f"| {' | '.join(cells)} |"
    yield ""
    for name, aim in aims.items():
        ratio = _wall_ratio(runs[name], ours)
        yield verdict(f"at least {aim:g} times the speed of the {name}", ratio.middle >= aim, f"{ratio.middle:.2f}")
        if ratio.spread > _MOST_SPREAD:
            yield f"- The rounds of the {name} spread by {ratio.spread:.0%}: the machine was busy, measure again."
    peak = max(run.peak for run in ours)
    yield verdict(f"peak memory under {MOST_PEAK_MB} MB", peak < MOST_PEAK_MB, f"{peak:.0f} MB")


def verdict(aim: str, is_met: bool, found: str) -> str:
    """An aim, and what came of it."""
    return f"- Aim: {aim}. Measured: {found}, {'met' if is_met else '**missed**'}."


def _wall_ratio(theirs: Sequence[Measured], ours: Sequence[Measured]) -> Ratio:
    return Ratio([their.wall / our.wall for their, our in _pairs(theirs, ours)])


def _pairs(theirs: Sequence[Measured], ours: Sequence[Measured]) -> Iterator[tuple[Measured, Measured]]:
    return zip(theirs, ours, strict=True)


def _columns(runs: Sequence[Measured]) -> tuple[list[float], list[float], list[float]]:
    return [run.wall for run in runs], [run.cpu for run in runs], [run.peak for run in runs]
