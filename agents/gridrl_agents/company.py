"""Agents of one kind that stand side by side as one, run after run: for those who were trained apart."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gridrl_agents.base import Agent, Policy, ReturnDistribution, Transition


class Company(Agent):
    """The runs of the first member, then those of the second, and so on.

    As a run does not depend on its company, this is the very agent that `make` gives for all seeds at once.
    """

    def __init__(self, members: Sequence[Agent]) -> None:
        first = members[0]
        self.members = tuple(members)
        self.seeds = tuple(seed for member in members for seed in member.seeds)
        self.gamma = first.gamma
        self.return_limits = first.return_limits
        self.num_bytes = sum(member.num_bytes for member in members)
        self.step_bytes = first.step_bytes
        self._ends = np.cumsum([member.num_runs for member in members])[:-1]

    @property
    def num_updates(self) -> int:  # type: ignore[override]
        """Learning steps of each run so far; of those who were stopped at different steps, the fewest."""
        return min(member.num_updates for member in self.members)

    @property
    def epsilon(self) -> float:
        """The probability with which the next `act` explores."""
        return self.members[0].epsilon

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an exploring action for each run, int64 [R]; `obs` is [R, ...]."""
        return self._joined(lambda member, own: member.act(own), obs)

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from one step of every run; return metrics, each float [R], nan for members that tell no such."""
        parts = [self.parts(field) for field in transition]
        told = [
            member.observe(Transition(*own)) for member, own in zip(self.members, zip(*parts, strict=True), strict=True)
        ]
        nothing = [np.full(member.num_runs, np.nan) for member in self.members]
        names = dict.fromkeys(name for metrics in told for name in metrics)
        return {
            name: np.concatenate([metrics.get(name, nan) for metrics, nan in zip(told, nothing, strict=True)])
            for name in names
        }

    def q_values(self, obs: np.ndarray) -> np.ndarray:
        """Return the estimated action values, float [R, N, A]; `obs` is [R, N, ...]."""
        return self._joined(lambda member, own: member.q_values(own), obs)

    def return_distribution(self, obs: np.ndarray) -> ReturnDistribution | None:
        """Return the estimated distribution of the return of each action; None where only its mean is learned."""
        found = []
        for member, own in zip(self.members, self.parts(obs), strict=True):
            distribution = member.return_distribution(own)
            if distribution is None:
                return None
            found.append(distribution)
        return ReturnDistribution(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    def dead_units(self) -> np.ndarray | None:
        """Return the share of rectified units that are never woken, [R]; None where a member cannot tell."""
        shares = [member.dead_units() for member in self.members]
        known = [share for share in shares if share is not None]
        return np.concatenate(known) if len(known) == len(shares) else None

    def policy(self, epsilon: float, stream_key: int = 0) -> Policy:
        """Return the members' policies as one."""
        return CompanyPolicy(self, [member.policy(epsilon, stream_key) for member in self.members])

    def state_dict(self) -> dict[str, Any]:
        """Return the members' states by their number."""
        return {str(number): member.state_dict() for number, member in enumerate(self.members)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `SettingsError` for what does not fit."""
        for number, member in enumerate(self.members):
            member.load_state_dict(state[str(number)])

    def values_dict(self) -> dict[str, Any]:
        """Return what the members believe, by their number."""
        return {str(number): member.values_dict() for number, member in enumerate(self.members)}

    def load_values(self, state: Mapping[str, Any]) -> None:
        """Believe again what was believed when `values_dict` was called."""
        for number, member in enumerate(self.members):
            member.load_values(state[str(number)])

    def parts(self, array: np.ndarray) -> list[np.ndarray]:
        """Return each member's rows of an array [R, ...]."""
        return np.split(np.asarray(array), self._ends)

    def _joined(self, ask: Callable[[Agent, np.ndarray], np.ndarray], array: np.ndarray) -> np.ndarray:
        """Ask each member about its rows of an array [R, ...], and return the answers [R, ...]."""
        return np.concatenate([ask(member, own) for member, own in zip(self.members, self.parts(array), strict=True)])


class CompanyPolicy(Policy):
    """The members' policies, run after run."""

    def __init__(self, company: Company, policies: Sequence[Policy]) -> None:
        self.agent = self._company = company
        self.epsilon = policies[0].epsilon
        self.remembers = policies[0].remembers  # type: ignore[misc]
        self._policies = tuple(policies)

    @property
    def by_chance(self) -> np.ndarray:
        """Whether the latest `act` left something to chance (epsilon, a tie), bool [R, N]."""
        return np.concatenate([policy.by_chance for policy in self._policies])

    @property
    def certain(self) -> np.ndarray:
        """Whether the latest `act` would answer the same observations in the same way at any time, bool [R, N]."""
        return np.concatenate([policy.certain for policy in self._policies])

    def act(self, obs: np.ndarray, uniform: np.ndarray | None = None) -> np.ndarray:
        """Return an action for each observation, int64 [R, N]; `obs` is [R, N, ...]."""
        draws = [None] * len(self._policies) if uniform is None else self._company.parts(uniform)
        rows = zip(self._policies, self._company.parts(obs), draws, strict=True)
        return np.concatenate([policy.act(own, drawn) for policy, own, drawn in rows])

    def reset(self, mask: np.ndarray) -> None:
        """Forget what was seen of the episodes in `mask`, bool [R, N]."""
        for policy, own in zip(self._policies, self._company.parts(mask), strict=True):
            policy.reset(own)
