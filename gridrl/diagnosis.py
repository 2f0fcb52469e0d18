"""What is wrong with a run, in sentences: each with its numbers and what to do."""

import numpy as np

from gridrl.evaluation import Episodes
from gridrl.run import Run
from gridrl.truth.solution import return_bounds
from gridrl_envs.geometry import place

HIGH_EPSILON = 0.2
MOSTLY_DEAD = 0.8  # on dense, half of them die early in many a run that learns well
BEYOND_ANY_RETURN = 2.0  # times the greatest return; overestimation alone stays below
MANY_SEEDS = 4  # lines about single seeds; more are summed up


def warnings_of(run: Run) -> list[str]:
    """Return what is wrong with `run` as it stands, a sentence each; none for a run that is well."""
    if run.step == 0:
        return []
    if run.agent.num_updates == 0:
        return [_learned_nothing(run)]
    checks = (_epsilon, _short_replay, _target, _support, _dead_units, _exploding)
    return [sentence for check in checks if (sentence := check(run)) is not None]


def loops_of(run: Run, episodes: Episodes) -> list[str]:
    """Return where the greedy policy of each seed goes round in circles in its `episodes`, a sentence each."""
    seeds, loops = run.config.seeds, (episodes.loop_length > 0).any(axis=1)
    circling = np.flatnonzero(loops & np.isin(seeds, run.whole))
    if circling.size > MANY_SEEDS:
        lengths = episodes.loop_length[circling]
        lengths = lengths[lengths > 0]
        return [
            f"the greedy policies of {circling.size} of {len(seeds)} seeds go round in circles: loops of "
            f"{lengths.min()} to {lengths.max()} steps"
        ]
    return [f"seed {seeds[index]}: the greedy policy {_circle(run, episodes, int(index))}" for index in circling]


def _circle(run: Run, episodes: Episodes, index: int) -> str:
    """Say how run number `index` goes round, in the first of its episodes that does."""
    loops = episodes.loop_length[index] > 0
    at = index, int(loops.argmax())
    often = f" in {loops.sum()} of {loops.size} episodes" if loops.size > 1 else ""
    cell = place(int(episodes.loop_cell[at]), run.problem.level.columns)
    where = f"from step {episodes.loop_begin[at]} on, at {cell}"
    if episodes.loop_num_cells[at] == 1:
        return f"stands still{often} {where}"
    loop = f"a loop of {episodes.loop_length[at]} steps over {episodes.loop_num_cells[at]} cells"
    return f"goes round in circles{often}: {loop} {where}"


def _learned_nothing(run: Run) -> str:
    first = run.config.agent_settings.get("min_replay_size")
    why = f" (it begins with {first} transitions in its replay)" if first is not None else ""
    advice = ", or lower --min-replay-size" if first is not None else ""
    return f"nothing was learned in {run.step} steps{why}: train longer{advice}."


def _epsilon(run: Run) -> str | None:
    epsilon, end = run.agent.epsilon, run.config.agent_settings.get("epsilon_end", 0.0)
    decay_steps = run.config.agent_settings.get("epsilon_decay_steps", 0)
    if decay_steps > run.step and epsilon > end + 0.01:
        return (
            f"epsilon is still {epsilon:.2f} after {run.step} steps, and reaches {end:g} at step {decay_steps}; train "
            "longer, or lower --epsilon-decay-steps."
        )
    if epsilon > HIGH_EPSILON:
        return (
            f"epsilon is still {epsilon:.2f} after {run.step} steps, so that {epsilon:.0%} of the actions were chance; "
            "lower --epsilon-end."
        )
    return None


def _short_replay(run: Run) -> str | None:
    capacity = run.config.agent_settings.get("replay_capacity")
    longest = int(np.ceil(_measured(run, "episode_length").max(initial=0)))
    if capacity is None or capacity >= longest:
        return None
    return (
        f"the replay keeps {capacity} transitions, and an episode has {longest} steps: how it began is forgotten "
        f"before it ends; give --replay-capacity {10 * longest} or so."
    )


def _target(run: Run) -> str | None:
    settings, updates = run.config.agent_settings, run.agent.num_updates
    period = settings.get("target_update_period")
    if period is None or updates >= period:
        return None
    return (
        f"the target network was never synced: that takes {period} updates, and there were {updates}, so that all was "
        "learned from the initial weights; train longer, or lower --target-update-period."
    )


def _support(run: Run) -> str | None:
    if run.agent.return_limits is None:
        return None
    (low, high), returns = run.agent.return_limits, _measured(run, "discounted_return")
    least, greatest = returns.min(initial=low), returns.max(initial=high)
    if low <= least and greatest <= high:
        return None
    return (
        f"returns from {returns.min():.0f} to {returns.max():.0f} were earned, and the agent can stand for {low:.0f} "
        f"to {high:.0f} only: its values are cut off there; train again with a wider --v-min and --v-max."
    )


def _dead_units(run: Run) -> str | None:
    share = run.agent.dead_units()
    if share is None:
        return None
    share = np.where(np.isin(run.config.seeds, run.whole), share, 0.0)
    if share.max() <= MOSTLY_DEAD:
        return None
    return (
        f"{share.max():.0%} of the hidden units of seed {run.config.seeds[share.argmax()]} are dead, zero for all that "
        "the replay holds, and learn no more; lower --learning-rate."
    )


def _exploding(run: Run) -> str | None:
    obs, _ = run.problem.make_vector(1).reset(seed=0)
    values = run.agent.q_values(np.broadcast_to(obs, (run.agent.num_runs, *obs.shape)))
    size = np.abs(values).max(axis=(1, 2))  # nan where one of them is
    worst = int(np.nan_to_num(size, nan=np.inf).argmax())
    seed = run.config.seeds[worst]
    if not np.isfinite(size[worst]):
        return f"the values of seed {seed} are no numbers any more ({size[worst]}); lower --learning-rate."
    if not run.problem.is_gridworld:
        return None
    greatest = max(map(abs, return_bounds(run.problem.level, run.agent.gamma)))
    if size[worst] <= BEYOND_ANY_RETURN * greatest:
        return None
    return (
        f"seed {seed} believes in returns of {size[worst]:.3g} at the start, and none can be greater than "
        f"{greatest:.3g}: its values explode; lower --learning-rate."
    )


def _measured(run: Run, metric: str) -> np.ndarray:
    """Return all evaluations' values of `metric`, exploring and greedy."""
    table = run.metrics
    return table.loc[table["metric"].isin((metric, f"greedy_{metric}")), "value"].to_numpy()
