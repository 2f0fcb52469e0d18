"""What an update computes on its way: for the metrics, and for whoever wants to see every number of it."""

from typing import Any, NamedTuple

from torch import Tensor

from gridrl_agents.deep.learned import Lesson
from gridrl_agents.deep.recurrent import Passage
from gridrl_agents.deep.replay import Batch
from gridrl_agents.deep.sequences import Sequences


class Update(NamedTuple):
    """One update of the DQN family, in units of scaled reward; good until the next one."""

    batch: Batch
    next_output: Tensor  # [R, B, W], the target network's at next_obs
    next_action: Tensor  # int64 [R, B], the one that is valued
    next_estimate: Tensor  # [R, B, K], what the target network says of it
    activations: list[Any]  # the online network's at obs; the last one is its output [R, B, W]
    estimate: Tensor  # [R, B, K], of the action taken
    lesson: Lesson
    share: Tensor  # [R, B], of each transition's loss in its run's
    gradient_norm: Tensor  # [R], before clipping


class SequenceUpdate(NamedTuple):
    """One update of DRQN, in units of scaled reward; T and B are those of the steps that are learned from."""

    steps: Sequences  # burn-in included
    next_q: Tensor  # [R, T * B, A], the target network's at next_obs, after what it remembers by then
    td_target: Tensor  # [R, T * B]
    passage: Passage  # of the online network through the steps that are learned from
    estimate: Tensor  # [R, T * B], of the actions taken
    loss: Tensor  # [R, T * B]
    slope: Tensor  # [R, T * B], d loss / d estimate
    gradient_norm: Tensor  # [R], before clipping
