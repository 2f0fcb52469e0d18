"""Contenders take turns, each in processes of its own, and a ratio is the median turn by turn."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import measure
from benchmarks.contest import Comparison, Contender, Contest, Found, Ratio, ratio
from benchmarks.figure import ratio_figure
from benchmarks.harness import ONE_THREAD, ContenderError, hold
from benchmarks.results import rows

ROOT = Path(__file__).resolve().parents[2]

# A contender that tells a file of each piece that it does: who, in which process, with how many threads.
DIARY = """
import os
import time

def build(diary, name):
    pieces = 0

    def work():
        nonlocal pieces
        with open(diary, "a") as file:
            file.write(f"{name} {os.getpid()} {os.environ['OMP_NUM_THREADS']}\\n")
        time.sleep(0.01)
        pieces += 1
        return 7

    return work

def fails():
    raise ValueError("no such luck")
"""


@pytest.fixture
def diarist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "diarist.py").write_text(DIARY)
    monkeypatch.syspath_prepend(tmp_path)  # the contenders' processes get this path, too
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")  # put back after `hold` has set it
    yield importlib.import_module("diarist")
    sys.modules.pop("diarist")


def test_contenders_take_turns_each_in_a_process_of_its_own(tmp_path: Path, diarist: Any) -> None:
    diary = tmp_path / "diary"
    contenders = tuple(
        Contender(name, "pieces", diarist.build, {"diary": str(diary), "name": name}, processes)
        for name, processes in (("a", 1), ("b", 2))
    )
    found = hold(Contest("both", "", contenders, (Comparison("a", "a", "b"),)), turns=3, seconds=0.001)
    entries = [line.split() for line in diary.read_text().splitlines()]
    # The first piece of every process, which counts nowhere; then one piece is longer than a turn.
    assert [name for name, _, _ in entries] == ["a", "b", "b"] + ["a", "b", "b"] * 3
    assert [len({pid for name, pid, _ in entries if name == which}) for which in "ab"] == [1, 2]
    assert {threads for _, _, threads in entries} == {"1"}
    assert [len(found[name].rates) for name in "ab"] == [3, 3]


def test_a_rate_is_the_amount_over_the_seconds_of_all_processes_together(diarist: Any, tmp_path: Path) -> None:
    settings = {"diary": str(tmp_path / "diary"), "name": "a"}
    contender = Contender("a", "pieces", diarist.build, settings, processes=2)
    found = hold(Contest("one", "", (contender,), (Comparison("a", "a"),)), turns=1, seconds=0.03)
    # A piece of 7 takes .01 s and can only take longer: two processes have at most 2 * 7 / .01.
    assert 0 < found["a"].rates[0] <= 1400


def test_a_contender_that_fails_is_told_with_its_reason(diarist: Any) -> None:
    contest = Contest("bad", "", (Contender("f", "pieces", diarist.fails),), (Comparison("f", "f"),))
    with pytest.raises(ContenderError, match=r"f: (?s:.)*no such luck"):
        hold(contest, turns=1, seconds=0.001)


def test_ratio_is_the_median_of_the_turns_ratios() -> None:
    ours, peer = Found([10.0, 30.0, 8.0], 0.0, 0.0), Found([5.0, 10.0, 8.0], 0.0, 0.0)
    # 2, 3 and 1; the ratio of the medians would be 10 / 8.
    assert ratio(ours, peer) == Ratio(2.0, 1.0, 3.0)


def test_rows_say_what_was_reached_and_what_is_missing() -> None:
    def never() -> Any:
        raise AssertionError

    contest = Contest(
        "c",
        "",
        (
            Contender("a", "steps", never),
            Contender("b", "steps", never),
            Contender("p", "steps", never, needs=("no_one",)),
        ),
        (Comparison("first", "a", "b", 2.0), Comparison("second", "b", "a", 0.6), Comparison("third", "a", "p", 1.0)),
    )
    found = {"a": Found([4.0, 6.0, 5.0], 1.0, 0.1), "b": Found([2.0, 2.0, 2.0], 1.0, 0.1)}
    first, second, third = rows(contest, found)
    assert (first["ours"]["rate"], first["peer"]["rate"], first["unit"]) == (5.0, 2.0, "steps/s")
    assert (first["ratio"]["median"], first["reached"], second["reached"]) == (2.5, True, False)
    assert third["missing"] == ["no_one"]
    assert "ratio" not in third
    assert third["ours"]["rate"] == 5.0


def test_a_contest_compares_its_contenders_and_no_others() -> None:
    with pytest.raises(ValueError, match="the comparisons name"):
        Contest("c", "", (Contender("a", "steps", list),), (Comparison("first", "a", "b"),))


def test_bars_reach_from_one_to_the_ratio() -> None:
    comparisons = [
        {
            "what": f"row {number}",
            "unit": "steps/s",
            "ours": {"name": "a", "rate": 100.0 * number},
            "peer": {"name": "b", "rate": 100.0},
            "aim": 2.0,
            "ratio": {"median": value, "low": value * 0.9, "high": value * 1.1},
        }
        for number, value in enumerate((0.25, 8.0))
    ]
    results = {
        "machine": {"processor": "a processor", "usable_cores": 2},
        "options": {"turns": 3, "seconds": 1.0},
        "load": [0.5, 1.5],
        "comparisons": [*comparisons, {"what": "without its peer", "missing": ["b"]}],
    }
    (axes,) = ratio_figure(results).axes
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert ends == [(1, pytest.approx(0.25)), (1, pytest.approx(8.0))]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["row 0", "row 1"]


def test_one_contest_that_fails_does_not_cost_the_others(tmp_path: Path, diarist: Any) -> None:
    settings = {"diary": str(tmp_path / "diary"), "name": "a"}
    bad = Contest("bad", "", (Contender("f", "pieces", diarist.fails),), (Comparison("f", "f"),))
    good = Contest("good", "", (Contender("a", "pieces", diarist.build, settings),), (Comparison("a", "a"),))
    results = measure([bad, good], turns=1, seconds=0.001)
    assert [row["contest"] for row in results["comparisons"]] == ["good"]
    ((name, reason),) = [each.values() for each in results["failed"]]
    assert name == "bad"
    assert "no such luck" in reason


def test_the_program_writes_what_it_found(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "rendering", "--turns", "2", "--seconds", "0.01"]
    done = subprocess.run([*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    row = results["comparisons"][0]
    turns = {each["name"]: each["rates"] for each in results["contenders"]}
    mine, peer = turns[row["ours"]["name"]], turns[row["peer"]["name"]]
    assert row["ratio"]["median"] == pytest.approx((mine[0] / peer[0] + mine[1] / peer[1]) / 2)
    assert f"| {row['what']} |" in (tmp_path / "ratios.md").read_text()
    assert (tmp_path / "ratios.png").stat().st_size > 0
    assert results["machine"]["packages"]["gymnasium"] in done.stdout
