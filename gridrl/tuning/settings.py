"""How long a search is and by how many runs its trials are judged. Light to import: these are the command's options."""

import dataclasses

from gridrl.errors import UserError

UNSEEN_FROM = 1000  # the first of the seeds that are kept for the report


@dataclasses.dataclass(frozen=True)
class SearchSettings:
    """How many trials, how each is trained, and how the best is judged in the end."""

    trials: int = 32
    """Settings that are tried in all; the same command with more goes on."""
    seeds: int = 4
    """Runs of each trial, with seeds 0, 1, 2, ..."""
    steps: int = 20_000
    """Environment steps of each run."""
    eval_period: int | None = None
    """Steps between evaluations; a twentieth of the steps if not given."""
    eval_episodes: int = 10
    """Episodes of each run in an evaluation."""
    at_once: int = 8
    """Trials that are chosen together, before any of them is known: with more, more processes find work."""
    sampler_seed: int = 0
    """Seed of what is chosen."""
    unseen_seeds: int = 16
    """Runs, with seeds 1000, 1001, ..., by which the best settings and the defaults are judged in the end."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, least = getattr(self, field.name), 0 if field.name == "sampler_seed" else 1
            if value is not None and value < least:
                name = field.name.replace("_", "-")
                raise UserError(f"{name} must be {least} or more, got {value}; give a larger one.")
        if self.seeds > UNSEEN_FROM:
            raise UserError(f"seeds must be {UNSEEN_FROM} or less, got {self.seeds}: those above are for the report.")

    @property
    def seen(self) -> list[int]:
        """The seeds of every trial."""
        return list(range(self.seeds))

    @property
    def unseen(self) -> list[int]:
        """The seeds of the report: none of a trial's."""
        return list(range(UNSEEN_FROM, UNSEEN_FROM + self.unseen_seeds))
