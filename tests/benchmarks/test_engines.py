"""What an engine costs per shard is the time between shards; what had to be started is told apart."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import engines
from gridrl.sweeps.engine import EngineSettings, Progress, Tell
from gridrl.sweeps.serial import Serial
from gridrl.sweeps.shard import Shard
from gridrl.sweeps.work import Reached


def test_the_first_shard_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]

    class Slow:
        def run(self, shards: Sequence[Shard], folder: Path, tell: Tell) -> None:
            clock[0] += 5.0
            for number in range(len(shards)):
                clock[0] += 1.0
                tell(Progress(number, Reached(1, None)))
                clock[0] += 1.0
                tell(Progress(number, None))

    monkeypatch.setattr(engines, "make_engine", lambda settings: Slow())
    monkeypatch.setattr(engines.time, "perf_counter", lambda: clock[0])
    assert engines.measure("serial", [engines.tiny_shard(seed) for seed in range(4)]) == engines.Cost(7.0, 2.0)


def test_all_engines_take_their_turns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[EngineSettings] = []
    monkeypatch.setattr(engines, "make_engine", lambda settings: (asked.append(settings), Serial())[1])
    monkeypatch.setattr("sys.argv", ["engines", "--shards", "2", "--turns", "2"])
    engines.main()
    assert [settings.engine for settings in asked] == ["serial", "processes", "dask"] * 2
    assert {settings.processes for settings in asked} == {1}
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]] == ["serial", "processes", "dask"]
