"""A study that trains agents, as a TOML file describes it: the question, what is varied, what is shown, the claim."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_args

from gridrl.errors import UserError, unknown, user_errors
from gridrl.run_config import RunConfig
from gridrl.studies.claims import Part, read_part
from gridrl.studies.quantities import QUANTITIES
from gridrl.studies.study import Budget
from gridrl.sweeps.sweep import checked_config


class Size(NamedTuple):
    """How much a budget pays for."""

    seeds: int
    steps: int  # environment steps of each run; networks learn from the 1000th on
    eval_period: int  # steps

    @property
    def checkpoint_period(self) -> int:
        """Steps between checkpoints: a kill costs a quarter of a training at most, and writing them little."""
        return max(self.steps // 4, 500)


SIZES: dict[Budget, Size] = {
    "smoke": Size(2, 1_500, 500),
    "short": Size(8, 21_000, 1_000),
    "full": Size(20, 81_000, 3_000),
}
WORDS = ("question", "claim", "source", "agent")
KEYS = (*WORDS, "settings", "variants", "show", "parts", "budgets")
MOST_LETTERS = 38  # of a label: what the figure has room for
OF_THE_BUDGET = ("seeds", "steps", "eval_period", "checkpoint_period", "snapshot_period")
OF_THE_ENGINE = ("processes", "device")


@dataclass(frozen=True)
class Design:
    """What a file says, and its text."""

    text: str
    question: str
    claim: str
    source: str
    agent: str
    settings: dict[str, Any]  # what all variants share
    variants: dict[str, dict[str, Any]]  # label -> settings of its own
    show: tuple[str, ...]  # names of QUANTITIES, a row of the figure for each
    parts: tuple[Part, ...]  # of the claim
    sizes: dict[Budget, Size]

    @classmethod
    def read(cls, path: Path) -> "Design":
        """Return what a file describes; raises `UserError` for one that cannot be read, or says what it should not."""
        try:
            text = path.read_text(encoding="utf-8")
            data = tomllib.loads(text)
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}); give a study's TOML file.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{path} is no TOML: {error}.") from None
        try:
            return cls._of(text, data)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

    @classmethod
    def _of(cls, text: str, data: Mapping[str, Any]) -> "Design":
        for key in data:
            if key not in KEYS:
                raise unknown("entry", key, KEYS)
        question, claim, source, agent = (_word(data, key) for key in WORDS)
        settings, variants = _table(data, "settings"), _table(data, "variants")
        if not variants:
            raise UserError(
                'there are no variants; add [variants] with lines such as "fast" = { learning_rate = 0.01 }.'
            )
        for label, own in (("settings", settings), *variants.items()):
            if not isinstance(own, dict):
                raise UserError(
                    f"variant {label!r} must be a table of settings such as {{ gamma = 0.9 }}, got {own!r}."
                )
            _check_owner(label, own)
            if len(label) > MOST_LETTERS:
                raise UserError(f"the label {label!r} is too long for a figure; use at most {MOST_LETTERS} letters.")
        show = data.get("show", ["return"])
        if not isinstance(show, list) or not show:
            raise UserError(f'show must be a list of what the figure shows, such as ["return"], got {show!r}.')
        for name in show:
            if str(name) not in QUANTITIES:
                raise unknown("quantity in show", str(name), QUANTITIES)
        parts = data.get("parts", [])
        if not isinstance(parts, list) or not parts:
            raise UserError("the claim has no parts that are tested; add [[parts]] with metric, more and than.")
        read = [part for number, entry in enumerate(parts, 1) for part in read_part(number, entry, tuple(variants))]
        sizes = _sizes(_table(data, "budgets"))
        return cls(text, question, claim, source, agent, settings, variants, tuple(show), tuple(read), sizes)

    def configs(self, budget: Budget, num_seeds: int | None = None) -> list[RunConfig]:
        """Return what trains each variant, checked; raises what is wrong with the first that is not right.

        `num_seeds` None: as many as the budget has.
        """
        size = self.sizes[budget]
        length: dict[str, Any] = {
            "steps": size.steps,
            "eval_period": size.eval_period,
            "checkpoint_period": size.checkpoint_period,
            "snapshot_period": size.steps,
        }
        return [
            self._config(label, length, range(size.seeds if num_seeds is None else num_seeds))
            for label in self.variants
        ]

    def _config(self, label: str, length: dict[str, Any], seeds: Sequence[int]) -> RunConfig:
        given: dict[str, Any] = {"agent": self.agent} | self.settings | self.variants[label]
        try:
            return checked_config(given | length, seeds)
        except user_errors() as error:
            raise UserError(f"variant {label!r}: {error}") from None


def _word(data: Mapping[str, Any], key: str) -> str:
    word = data.get(key)
    if not isinstance(word, str) or not word:
        raise UserError(f"{key} must be a line of text, got {'nothing' if word is None else repr(word)}; add it.")
    return word


def _table(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise UserError(f"{key} must be a table, [{key}], got {table!r}.")
    return table


def _check_owner(label: str, own: Mapping[str, Any]) -> None:
    for name in own:
        if name in OF_THE_ENGINE:
            raise UserError(f"{name} in {label!r} is for the command to say, by --engine and --processes: drop it.")
        if name in OF_THE_BUDGET:
            raise UserError(
                f"{name} in {label!r} is the budget's, so that all variants learn equally long; leave it out, or set "
                f"seeds, steps or eval_period under [budgets.short]."
            )


def _sizes(given: Mapping[str, Any]) -> dict[Budget, Size]:
    """Return the size of each budget, the shared one where the file has none of its own."""
    sizes = dict(SIZES)
    for name, own in given.items():
        budget = next((known for known in get_args(Budget) if known == name), None)
        if budget is None:
            raise unknown("budget", name, get_args(Budget))
        if not isinstance(own, dict):
            raise UserError(f"budgets.{name} must be a table such as {{ steps = 5000 }}, got {own!r}.")
        for key, value in own.items():
            if key not in Size._fields:
                raise unknown(f"entry of budgets.{name}", key, Size._fields)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UserError(f"budgets.{name}.{key} must be a whole number of 1 or more, got {value!r}.")
        sizes[budget] = sizes[budget]._replace(**own)
    return sizes
