"""The unit of work: one setting with a group of seeds that learn in lockstep. As JSON it travels to whoever does it."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from gridrl.errors import UserError
from gridrl.problem import LEVEL_COPY, ProblemSettings, level_toml
from gridrl.run_config import RunConfig, versions

MOST_SEEDS = 8  # of a shard; fixed, so that the same sweep has the same shards on every machine


@dataclass(frozen=True)
class Shard:
    """What is to be trained, and by which versions; `level` is the text of a level of the user's own."""

    config: RunConfig
    level: str | None
    versions: dict[str, str]

    @classmethod
    def of(cls, config: RunConfig) -> "Shard":
        """Return the shard that trains `config` by the versions that are installed here."""
        from gridrl_envs.level import Level, builtin_levels

        source = config.problem.level
        if source is None or source in builtin_levels():
            return cls(config, None, versions())
        problem = dataclasses.replace(config.problem, level=LEVEL_COPY)
        return cls(dataclasses.replace(config, problem=problem), level_toml(Level.load(source)), versions())

    @property
    def key(self) -> str:
        """A name for the shard's result: the same for the same settings, seeds and versions, and for no others."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:24]

    def to_json(self) -> str:
        """Return the shard as text, always the same."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Shard":
        """Return what `to_json` wrote; raises `UserError` where other versions than those installed here wrote it."""
        data: dict[str, Any] = json.loads(text)
        for package, wanted in data["versions"].items():
            if versions()[package] != wanted:
                raise UserError(
                    f"this process has {package} {versions()[package]}, and the shard was made for {wanted}; install "
                    "the same versions wherever shards are done."
                )
        config = RunConfig(**(data["config"] | {"problem": ProblemSettings(**data["config"]["problem"])}))
        return cls(config, data["level"], data["versions"])

    def placed_in(self, folder: Path) -> RunConfig:
        """Return the config with the user's level, if it has one, written into `folder`."""
        if self.level is None:
            return self.config
        path = folder / f"{self.key}.toml"
        path.write_text(self.level, encoding="utf-8")
        return dataclasses.replace(self.config, problem=dataclasses.replace(self.config.problem, level=str(path)))


def cut(config: RunConfig) -> list[Shard]:
    """Return the shards of a config: its seeds in groups of at most MOST_SEEDS, as even as can be."""
    count = len(config.seeds)
    groups = -(-count // MOST_SEEDS)
    bounds = [count * number // groups for number in range(groups + 1)]
    return [Shard.of(dataclasses.replace(config, seeds=config.seeds[begin:end])) for begin, end in pairwise(bounds)]
