"""What a network says after a step, told, and why that is not the target."""

from gridrl_agents.deep.drqn import DRQN
from gridrl_agents.deep.learner import DQN
from gridrl_agents.explanation import NOW, Explanation, show, term


def tell(told: Explanation, agent: DQN | DRQN, symbol: str, old: float, new: float, words: str, batch: str) -> None:
    """Tell a value before and after the step; `batch` says whose loss was followed."""
    was = f"it was {show(old)}"
    told.line(NOW, "new_q", symbol, new, f"{was}, {words}" if words else was)
    gap = told["td_target"] - old
    if gap:
        working = f"{show(new - old)} / {term(gap)}"
        told.line(NOW, "moved", "moved", (new - old) / gap, "of the way to the target", working)
    told.say(
        NOW,
        f"It does not meet its target: one step follows the mean loss of {batch}, the network's other values move "
        "along, and the optimizer's step has a length of its own.",
    )
    settings, period = agent._settings, agent._settings.target_update_period
    if settings.target_update_rate < 1:
        text = f"The target network moved {show(settings.target_update_rate)} of the way to the online one."
    elif agent.num_updates % period == 0:
        text = "With this update the target network became a copy of the online one."
    else:
        left = period - agent.num_updates % period
        text = f"The target network stayed as it is; updates until it becomes a copy of the online one: {left}."
    told.say(NOW, text)
