"""What studies measure of a run as it learns: its name, its words, and what is known of the best there can be."""

from typing import TYPE_CHECKING, NamedTuple

from gridrl.errors import UserError

if TYPE_CHECKING:
    import pandas

    from gridrl.run_config import RunConfig

Bounds = tuple[float, float]


class Best(NamedTuple):
    """The best that is possible from the start of a variant's level, as two bounds; None where it is not known."""

    undiscounted: Bounds | None
    discounted: Bounds | None  # at the variant's own gamma


class Quantity(NamedTuple):
    """A number that a run has at each evaluation."""

    words: str
    unit: str
    best: str | None = None  # the field of Best that bounds it


QUANTITIES = {
    "return": Quantity("return at epsilon .05", "undiscounted return", "undiscounted"),
    "discounted_return": Quantity("discounted return at epsilon .05", "discounted return", "discounted"),
    "greedy_return": Quantity("greedy return", "undiscounted return", "undiscounted"),
    "greedy_discounted_return": Quantity("greedy discounted return", "discounted return", "discounted"),
    "max_q_start": Quantity("max Q at the start", "discounted return", "discounted"),
    "overestimation": Quantity("max Q at the start less what the greedy policy earns", "discounted return"),
    "share_of_optimum": Quantity("share of its gamma's optimum", "share"),
}
RECORDED = tuple(name for name, quantity in QUANTITIES.items() if quantity.best)


def best_of(config: "RunConfig") -> Best:
    """Return what is known of the best that is possible in what `config` trains on."""
    from gridrl.comparison.shares import best_return
    from gridrl.run import make_problem
    from gridrl.truth.known import known

    problem = make_problem(config.agent, config.problem)
    if not problem.is_gridworld:
        return Best(None, None)
    most, gamma = best_return(problem.level), config.agent_settings.get("gamma")
    return Best(None if most is None else (most, most), None if gamma is None else known(problem.level, gamma).bounds)


def bounds_of(name: str, bests: "list[Best]") -> Bounds | None:
    """Return the bounds of a quantity's best, None where they are not known, or not the same for all."""
    if name == "share_of_optimum":
        return 1.0, 1.0
    field = QUANTITIES[name].best
    found = {getattr(best, field) if field else None for best in bests}
    return found.pop() if len(found) == 1 else None


def with_derived(table: "pandas.DataFrame", names: "set[str]", best: Best) -> "pandas.DataFrame":
    """Return run, step, metric, value of what was recorded, and of those `names` that are worked out from it.

    Overestimation is max Q at the start less the discounted return of the agent's own greedy policy; the share is that
    return over the upper bound of the best possible, so that it is the least it can be. Raises `UserError` where the
    best is not known.
    """
    import pandas

    table = table.loc[table["metric"].isin(RECORDED), ["run", "step", "metric", "value"]]
    wide = table.pivot(index=["run", "step"], columns="metric", values="value")
    new = {}
    if "overestimation" in names:
        new["overestimation"] = wide["max_q_start"] - wide["greedy_discounted_return"]
    if "share_of_optimum" in names:
        if best.discounted is None or best.discounted[1] <= 0:
            raise UserError("share_of_optimum: the optimum is not known here; show greedy_return instead.")
        new["share_of_optimum"] = wide["greedy_discounted_return"] / best.discounted[1]
    derived = [
        values.rename("value").reset_index().assign(metric=name)[["run", "step", "metric", "value"]]
        for name, values in new.items()
    ]
    return pandas.concat([table, *derived], ignore_index=True)
