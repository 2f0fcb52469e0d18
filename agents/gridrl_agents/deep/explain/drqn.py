"""An update of DRQN, told (learner: `deep/drqn.py`): one step of one sequence in full."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gridrl_agents.base import Transition
from gridrl_agents.deep.drqn import DRQN
from gridrl_agents.deep.explain import after, mean, optimizer
from gridrl_agents.deep.update import SequenceUpdate
from gridrl_agents.explain import check_item
from gridrl_agents.explanation import BELIEVED, HAPPENED, NOW, STEP, TARGET, Explanation, show, tell_happened, term


def explain(
    agent: DRQN, transition: Transition, run: int, item: int | None, action_names: Sequence[str] | None
) -> Explanation | None:
    """Let `agent` observe `transition`; return what one step of a sequence taught `run`, None without a batch.

    `item` is a sequence of the batch; of its steps the one with the largest |td_error| is told.
    """
    settings = agent._settings
    check_item(item, settings.batch_size, "sequences in a batch")
    if not agent.remember(transition):
        return None
    parameters, old = agent._online.parameters.clone(), agent._optimizer.state_dict()
    drawn = agent._replay.sample()
    rows = drawn.obs[:, settings.burn_in :].flatten(1, 2)
    forgetful, _ = agent._online.step(agent._inputs(rows), agent.fresh_state(rows.shape[1]))
    update = agent.learn(drawn)
    look = SequenceLook(agent, run, item, update)

    told = Explanation(action_names or [str(action) for action in range(agent._online.num_actions)])
    told.equation("td_target = r + discount * max_b Q_target(s', b)", "Mnih et al. 2015")
    told.equation("Q(s, .) is read with h, what is remembered of the steps before", "Hausknecht & Stone 2015")
    mean.tell_loss_equation(told, settings.loss)
    optimizer.tell_equation(told, agent._optimizer, "the mean loss of all steps learned from")
    look.tell_sequence(told)
    look.tell_believed(told, forgetful)
    look.tell_target(told)
    mean.tell_error(told, look.estimate, settings, look.number(update.loss), look.number(update.slope))
    count = settings.sequence_length * settings.batch_size
    words = f"{settings.sequence_length} steps of {settings.batch_size} sequences"
    told.line(STEP, "num_steps", "T * B", count, words)
    told.line(STEP, "share", "1 / (T * B)", 1 / count, "of this step's loss in the batch's")
    optimizer.tell(told, agent, parameters, old, update.gradient_norm, run)
    row = look.new_q_values()
    told.values(NOW, "q_after", "Q_online(s, .)", row, "read through the sequence again", marked=look.action)
    after.tell(told, agent, "Q_online(s, a)", look.estimate, float(row[look.action]), "", f"all {count} steps")
    return told


class SequenceLook:
    """One step of one sequence of an update; numbers are in units of true reward where they are rewards or values."""

    def __init__(self, agent: DRQN, run: int, item: int | None, update: SequenceUpdate) -> None:
        self.agent, self.run, self.update = agent, run, update
        self.scale, self.burn_in = agent._settings.reward_scale, agent._settings.burn_in
        self.errors = self.by_step(update.td_target - update.estimate)
        self.item = int(np.abs(self.errors).max(axis=0).argmax()) if item is None else item
        self.at = int(np.abs(self.errors[:, self.item]).argmax())  # of the steps that are learned from
        self.step = self.burn_in + self.at  # of the whole sequence
        steps = update.steps
        self.action = int(self.of_sequence(steps.action)[self.step])
        self.reward = float(self.of_sequence(steps.reward)[self.step]) / self.scale
        self.discount = float(self.of_sequence(steps.discount)[self.step])
        self.estimate = self.number(update.estimate) / self.scale

    def by_step(self, values: Tensor) -> np.ndarray:
        """Return the run's values of [R, T * B] or [R, T * B, A] as [T, B] or [T, B, A], of the steps learned from."""
        length = self.agent._settings.sequence_length
        return values[self.run].unflatten(0, (length, -1)).double().numpy()

    def of_sequence(self, values: Tensor) -> np.ndarray:
        """Return the sequence's values of [R, T, B, ...], burn-in included, [T, ...]."""
        return values[self.run, :, self.item].numpy()

    def number(self, values: Tensor) -> float:
        """Return the step's of [R, T * B]."""
        return float(self.by_step(values)[self.at, self.item])

    def row(self, values: Tensor) -> np.ndarray:
        """Return the step's action values, [A], of scaled ones [R, T * B, A or more]."""
        values = values[..., : self.agent._online.num_actions]
        return np.asarray(self.by_step(values)[self.at, self.item] / self.scale)

    def tell_sequence(self, told: Explanation) -> None:
        """Tell the sequence, and of it the step that is told in full."""
        steps, agent = self.update.steps, self.agent
        length = steps.action.shape[1]
        begins = self.of_sequence(steps.keep)[:, 0] == 0
        is_cut = self.step + 1 < length and bool(begins[self.step + 1])
        terminated = self.discount == 0 and agent.gamma > 0
        transition = Transition(
            obs=agent._encoder.decode(self.of_sequence(steps.obs)[self.step]),
            action=np.asarray(self.action),
            reward=np.asarray(self.reward),
            next_obs=agent._encoder.decode(self.of_sequence(steps.next_obs)[self.step]),
            terminated=np.asarray(terminated),
            truncated=np.asarray(is_cut and not terminated),
        )
        num_sequences = steps.action.shape[2]
        told.line(
            HAPPENED, "item", "i", self.item, f"the sequence told, of {num_sequences} in the batch, counted from 0"
        )
        told.line(HAPPENED, "step", "t", self.step, f"the step told, of 0 to {length - 1}")
        told.line(HAPPENED, "burn_in", "burn-in", self.burn_in, "steps before 'learned', which only find h")
        tell_happened(told, transition, self.discount)
        unlearned = [""] * self.burn_in

        def learned(values: np.ndarray) -> list[object]:
            return [*unlearned, *(values[:, self.item] / self.scale).tolist()]

        told.table(
            HAPPENED,
            "sequence",
            {
                "t": list(range(length)),
                "begins": ["anew" if new else "" for new in begins],
                "a": self.of_sequence(steps.action).tolist(),
                "r": (self.of_sequence(steps.reward).astype(np.float64) / self.scale).tolist(),
                "Q(s, a)": learned(self.by_step(self.update.estimate)),
                "td_target": learned(self.by_step(self.update.td_target)),
                "td_error": learned(self.errors),
            },
            "the sequence; 'anew': an episode began there, and h with it",
        )

    def tell_believed(self, told: Explanation, forgetful: Tensor) -> None:
        """Tell the values of s and s', and what the memory does to them; `forgetful` [R, T * B, A] are without it."""
        passage = self.update.passage
        told.values(BELIEVED, "q", "Q_online(s, .)", self.row(passage.output[-1]), "", marked=self.action)
        told.values(BELIEVED, "q_forgetful", "Q_online(s, .)", self.row(forgetful), "with an empty memory")
        next_row = self.row(self.update.next_q)
        told.values(BELIEVED, "q_next", "Q_target(s', .)", next_row, marked=int(next_row.argmax()))
        stored = self.update.steps.state[self.run, self.item]
        width = stored.shape[0] // 2  # hidden units, then cells
        words = "of the sequence's first step" + (
            ", as it was when it acted" if self.agent._settings.stored_state else ""
        )
        told.line(BELIEVED, "stored_memory", "|h(0)|", float(stored[:width].norm()), f"the memory's length {words}")
        hidden = passage.trace.before[self.run, self.at, self.item, :width]
        told.line(BELIEVED, "memory", f"|h({self.step})|", float(hidden.norm()), "with which s is read")
        told.line(BELIEVED, "estimate", "Q_online(s, a)", self.estimate, "what is to be corrected")

    def tell_target(self, told: Explanation) -> None:
        """Tell the best next action's value and the target."""
        next_row = self.row(self.update.next_q)
        best = int(next_row.argmax())
        told.line(TARGET, "next_action", "b*", best, f"the target network's best: {told.action(best)}")
        told.line(TARGET, "next_value", "Q_target(s', b*)", next_row[best])
        working = f"{show(self.reward)} + {show(self.discount)} x {term(next_row[best])}"
        td_target = self.reward + self.discount * float(next_row[best])
        told.line(TARGET, "td_target", "td_target", td_target, "r + discount * max_b Q_target(s', b)", working)

    def new_q_values(self) -> np.ndarray:
        """Return Q(s, .) after the update, [A]: the sequence is read again with the new parameters."""
        steps, only = self.update.steps, slice(self.item, self.item + 1)
        inputs = self.agent._inputs(steps.obs[:, :, only])
        passage = self.agent._online.unroll(inputs, steps.state[:, only], steps.keep[:, :, only])
        return self.agent._online.values(passage)[self.run, self.step].double().numpy() / self.scale
