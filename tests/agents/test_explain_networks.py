"""Every number that is told of a network's update, beside the equations worked out one transition at a time.

Values come from a naive forward pass in float64 over the parameters of a saved state. The gradient's are those of an
agent that learns the same without being explained; `test_family_twin.py` holds it against automatic differentiation.
"""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.deep.encoder import make_encoder
from gridrl_agents.errors import SettingsError
from gridrl_agents.explain import explain
from gridrl_agents.registry import make
from gridrl_agents.streams import NOISE, seed_sequence

INPUTS, HIDDEN, ACTIONS, SEEDS, RUN = 5, (20, 12), 3, [5, 11], 1
V_MIN, V_MAX, ATOMS, QUANTILES = -30.0, 50.0, 11, 7
SCALE, GAMMA, BATCH, STEPS, WARM = 0.1, 0.9, 8, 60, 45
CLOSE = {"rel": 2e-4, "abs": 2e-4}  # the agent counts in float32


def padded(size):
    return (size + 15) // 16 * 16


class Network:
    """One run's network: layers from a row of parameters, and its own noise, drawn again from the same seed."""

    def __init__(self, dueling, noisy, atoms, key):
        shared, stream = [(INPUTS, HIDDEN[0])], (HIDDEN[0], HIDDEN[1] // 2)
        self.shapes = [*shared, (HIDDEN[0], HIDDEN[1]), (HIDDEN[1], ACTIONS * atoms)]
        if dueling:
            self.shapes = [*shared, stream, (stream[1], atoms), stream, (stream[1], ACTIONS * atoms)]
        self.dueling, self.noisy, self.atoms = dueling, noisy, atoms
        self.generator = np.random.default_rng(seed_sequence(SEEDS[RUN], NOISE, key))

    def load(self, row):
        self.layers = [self.unpack(half) for half in (np.split(row, 2) if self.noisy else [row])]

    def unpack(self, row):
        layers, row = [], row.astype(np.float64)
        for fan_in, fan_out in self.shapes:
            rows, columns = padded(fan_in), padded(fan_out)
            matrix, row = row[: (rows + 1) * columns].reshape(rows + 1, columns), row[(rows + 1) * columns :]
            layers.append((matrix[:fan_in, :fan_out], matrix[rows, :fan_out]))
        assert not row.size
        return layers

    def drawn(self):
        """Return the weights of a pass: mu + sigma * noise, f(x) = sign(x) sqrt(|x|)."""
        if not self.noisy:
            return self.layers[0]
        weights = []
        for (fan_in, fan_out), (mu, mu_bias), (sigma, sigma_bias) in zip(self.shapes, *self.layers, strict=True):
            raw = [self.generator.standard_normal(padded(size), dtype=np.float32) for size in (fan_in, fan_out)]
            f_in, f_out = ((np.sign(x) * np.sqrt(np.abs(x))).astype(np.float64) for x in raw)
            noise = np.outer(f_in[:fan_in], f_out[:fan_out])
            weights.append((mu + sigma * noise, mu_bias + sigma_bias * f_out[:fan_out]))
        return weights

    def __call__(self, obs, weights=None):
        """Return [A, K] of one observation; without weights, those without noise."""
        weights = self.layers[0] if weights is None else weights
        if not self.dueling:
            return through(obs, weights).reshape(ACTIONS, self.atoms)
        value, advantage = self.streams(obs, weights)
        return value + advantage - advantage.mean(axis=0)

    def streams(self, obs, weights):
        shared = np.maximum(through(obs, weights[:1]), 0)
        return through(shared, weights[1:3]), through(shared, weights[3:]).reshape(ACTIONS, self.atoms)


def through(x, layers):
    for number, (weight, bias) in enumerate(layers):
        x = x @ weight + bias
        x = np.maximum(x, 0) if number < len(layers) - 1 else x
    return x


def softmax(x):
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


SUPPORT = np.linspace(V_MIN, V_MAX, ATOMS)
MEANS = {
    "mean": lambda output: output[..., 0] / SCALE,
    "categorical": lambda output: softmax(output) @ SUPPORT,
    "quantile": lambda output: output.mean(axis=-1) / SCALE,
}


def huber(x, kappa=1.0):
    if kappa == 0:
        return abs(x)
    return x * x / 2 if abs(x) <= kappa else kappa * (abs(x) - kappa / 2)


def check_mean(check, numbers, settings):
    x = SCALE * numbers["td_error"]
    is_huber = settings.get("loss", "huber") == "huber"
    slope = -np.clip(x, -1, 1) if is_huber else -x
    check(td_error=numbers["td_error"], scaled_td_error=x, slope=slope, **CLOSE)
    check(loss=huber(x) if is_huber else x * x / 2, **CLOSE)
    return abs(x)


def check_categorical(check, numbers, settings):
    """Bellemare et al. 2017, algorithm 1, atom by atom."""
    coming, estimate = softmax(numbers["next_estimate"]), softmax(numbers["estimate"])
    step, target = (V_MAX - V_MIN) / (ATOMS - 1), np.zeros(ATOMS)
    clipped = 0.0
    for j, z in enumerate(SUPPORT):
        moved = numbers["reward"] + numbers["discount"] * z
        clipped += coming[j] * (not V_MIN <= moved <= V_MAX)
        place = (min(max(moved, V_MIN), V_MAX) - V_MIN) / step
        lower, upper = int(np.floor(place)), int(np.ceil(place))
        shares = (1.0, 0.0) if lower == upper else (upper - place, place - lower)
        target[lower] += coming[j] * shares[0]
        target[upper] += coming[j] * shares[1]
        if j == coming.argmax():
            check(atom=z, moved_atom=moved, atom_place=place, **CLOSE)
            if 0 < shares[1] < 1:
                check(to_lower=coming[j] * shares[0], to_upper=coming[j] * shares[1], **CLOSE)
            else:  # on an atom, all goes to one of the two neighbours
                both = check.told["to_lower"] + check.told["to_upper"]
                assert both == pytest.approx(coming[j], rel=1e-4)
                check.seen |= {"to_lower", "to_upper"}
    loss = -(target * np.log(estimate)).sum()
    entropy = -(target[target > 1e-12] * np.log(target[target > 1e-12])).sum()
    check(v_min=V_MIN, v_max=V_MAX, atom_step=step, clipped_mass=clipped, target_mean=target @ SUPPORT, **CLOSE)
    check(td_error=numbers["td_error"], loss=loss, entropy=entropy, divergence=loss - entropy, **CLOSE)
    columns = {"z": SUPPORT, "p_target(s', b*)": coming, "m": target, "p_online(s, a)": estimate}
    check(atoms=columns | {"slope": estimate - target}, **CLOSE)
    return loss - entropy


def check_quantile(check, numbers, settings):
    """Dabney et al. 2018, algorithm 1, pair by pair."""
    kappa = settings.get("quantile_huber_threshold", 1.0)
    coming, estimate = numbers["next_estimate"] / SCALE, numbers["estimate"] / SCALE
    targets = numbers["reward"] + numbers["discount"] * coming
    losses, slopes, below = [], [], []
    middle = QUANTILES // 2
    for i, theta in enumerate(estimate):
        tau = (2 * i + 1) / (2 * QUANTILES)
        errors = [SCALE * (target - theta) for target in targets]
        weights = [abs(tau - (u < 0)) for u in errors]
        losses.append(np.mean([w * huber(u, kappa) for w, u in zip(weights, errors, strict=True)]))
        slope = [np.sign(u) if kappa == 0 else np.clip(u, -kappa, kappa) for u in errors]
        slopes.append(-np.mean([w * s for w, s in zip(weights, slope, strict=True)]))
        below.append(np.mean([u < 0 for u in errors]))
        if i == middle:
            check(tau=tau, kappa=kappa, pair_error=errors[i], pair_weight=weights[i], **CLOSE)
            check(pair_loss=weights[i] * huber(errors[i], kappa), **CLOSE)
    check(quantile=coming[middle], quantile_target=targets[middle], loss=sum(losses), **CLOSE)
    taus = [(2 * i + 1) / (2 * QUANTILES) for i in range(QUANTILES)]
    columns = {"i": range(1, QUANTILES + 1), "tau": taus, "theta_online(s, a)": estimate, "target": targets}
    check(quantiles=columns | {"targets below": below, "loss": losses, "slope": slopes}, **CLOSE)
    check(td_error=numbers["td_error"], **CLOSE)
    return abs(SCALE * numbers["td_error"])


CHECKS = {"mean": check_mean, "categorical": check_categorical, "quantile": check_quantile}
C51 = {"distribution": "categorical", "num_atoms": ATOMS, "v_min": V_MIN, "v_max": V_MAX}
QR = {"distribution": "quantile", "num_quantiles": QUANTILES}
PER = {"replay": "proportional", "priority_exponent": 0.7, "importance_sampling_steps": 100}
KINDS = {
    "dqn": {},
    "squared": {"loss": "squared", "optimizer": "rmsprop", "max_gradient_norm": 0.05},
    "double-dqn": {"double": True, "target_update_rate": 0.1, "target_update_period": 1},
    "per-dqn": PER,
    "rank-based": PER | {"replay": "rank-based"},
    "dueling-dqn": {"dueling": True},
    "n-step-dqn": {"n_step": 3},
    "noisy-dqn": {"noisy": True},
    "double noisy": {"noisy": True, "double": True},
    "c51": C51,
    "qr-dqn": QR,
    "dueling qr-dqn": QR | {"dueling": True, "quantile_huber_threshold": 0.0},
    "rainbow": C51 | PER | {"double": True, "dueling": True, "noisy": True, "n_step": 3},
}


def make_agent(settings):
    fixed = {"hidden_sizes": HIDDEN, "batch_size": BATCH, "learning_rate": 0.01, "min_replay_size": 20, "gamma": GAMMA}
    fixed |= {"replay_capacity": 100, "reward_scale": SCALE, "target_update_period": 7}
    return make("dqn", Box(-1, 1, (INPUTS,), np.float32), Discrete(ACTIONS), SEEDS, **fixed | settings)


def random_steps(count):
    rng = np.random.default_rng(0)
    for _ in range(count):
        obs, next_obs = rng.uniform(-1, 1, (2, 2, INPUTS)).astype(np.float32)
        terminated, truncated = rng.random((2, 2)) < 0.15
        yield Transition(
            obs, rng.integers(ACTIONS, size=2), 10 * rng.normal(size=2), next_obs, terminated, truncated & ~terminated
        )


def window_of(log, first, n):
    """Return the steps from `first` on, at most n, up to an episode's end and to the newest."""
    steps = []
    for step in log[first : first + n]:
        steps.append(step)
        if step[4] or step[5]:
            break
    return steps


def watch(agent):
    """Return lists that fill with the batches, the masses with which they were drawn, and the priorities taught."""
    batches, masses, priorities = [], [], []
    draw, teach = agent._replay.sample, agent._replay.update_priorities

    def sample():
        batches.append(draw())
        masses.append(agent._replay._sampler.state_dict(agent._replay.size).get("mass"))
        return batches[-1]

    def update_priorities(place, priority):
        priorities.append((place[RUN].copy(), priority[RUN].astype(np.float64)))
        teach(place, priority)

    agent._replay.sample, agent._replay.update_priorities = sample, update_priorities
    return batches, masses, priorities


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("item", [None, 3])
def test_every_number(kind, item, make_check, assert_same):
    settings = KINDS[kind]
    double, dueling, noisy = (settings.get(name, False) for name in ("double", "dueling", "noisy"))
    distribution, n = settings.get("distribution", "mean"), settings.get("n_step", 1)
    atoms = {"mean": 1, "categorical": ATOMS, "quantile": QUANTILES}[distribution]
    values_of = MEANS[distribution]
    agent, plain = make_agent(settings), make_agent(settings)
    online, target = (Network(dueling, noisy, atoms, key) for key in (0, 1))
    batches, masses, priorities = watch(agent)
    log, mass_of, highest = [], np.zeros(STEPS), 1.0
    alpha = settings.get("priority_exponent", 0.0)
    for number, transition in enumerate(random_steps(STEPS)):
        log.append(tuple(field[RUN] for field in transition))
        mass_of[number] = highest
        before = agent.state_dict()
        explained = number >= WARM
        told = explain(agent, transition, RUN, item=item) if explained else None
        metrics = plain.observe(transition)
        if not explained:
            taught = agent.observe(transition)
            assert metrics.keys() == taught.keys()
            for network in (online, target) if metrics else ():  # the same noise is drawn, and not looked at
                for _ in range(1 + (double and network is online)):
                    network.load(before["online"][0])
                    network.drawn()
        else:
            after = agent.state_dict()
            online.load(before["online"][RUN])
            target.load(before["target"][RUN])
            check = make_check(told)
            batch, place = batches[-1], batches[-1].place[RUN]

            # Everything of the batch that tells which item it is to be.
            weights_next = target.drawn()
            weights_choice = online.drawn() if double else None
            weights_now = online.drawn()
            numbers = []
            for first in place:
                steps = window_of(log, first, n)
                obs, action, next_obs = steps[0][0].astype(float), int(steps[0][1]), steps[-1][3].astype(float)
                reward = sum(GAMMA**i * step[2] for i, step in enumerate(steps))
                discount = 0.0 if steps[-1][4] else GAMMA ** len(steps)
                q_next_target = values_of(target(next_obs, weights_next))
                q_next_online = values_of(online(next_obs, weights_choice))
                best = int((q_next_online if double else q_next_target).argmax())
                now = online(obs, weights_now)
                numbers.append(
                    {
                        "obs": obs, "action": action, "next_obs": next_obs, "reward": reward, "discount": discount,
                        "steps": steps, "q": values_of(now), "q_next_online": q_next_online,
                        "q_next_target": q_next_target, "next_action": best,
                        "next_value": q_next_target[best], "td_target": reward + discount * q_next_target[best],
                        "td_error": reward + discount * q_next_target[best] - values_of(now)[action],
                        "next_estimate": target(next_obs, weights_next)[best], "estimate": now[action],
                    }
                )  # fmt: skip
            i = int(np.argmax([abs(each["td_error"]) for each in numbers])) if item is None else item
            one = numbers[i]
            same = ("action", "reward", "discount", "q", "q_next_online", "q_next_target", "next_action", "next_value")
            check(**{name: one[name] for name in same}, **CLOSE)
            check(item=i, replay_size=number + 1, td_target=one["td_target"], **CLOSE)
            check(estimate=one["q"][one["action"]], **{"obs s": "", "obs s'": ""}, **CLOSE)
            np.testing.assert_array_equal(told.transition.obs, one["steps"][0][0])
            np.testing.assert_array_equal(told.transition.next_obs, one["steps"][0][3])
            assert told.transition.reward == pytest.approx(one["steps"][0][2], rel=1e-5)
            if n > 1:
                powers = [GAMMA**k for k in range(len(one["steps"]))]
                rewards = [step[2] for step in one["steps"]]
                columns = {"i": range(1, len(powers) + 1), "a": [step[1] for step in one["steps"]], "r": rewards}
                columns |= {"gamma^(i-1)": powers, "gamma^(i-1) r": np.multiply(powers, rewards)}
                check(window=columns, **CLOSE)
            if noisy:
                still, still_next = values_of(online(one["obs"])), values_of(target(one["next_obs"]))
                check(q_still=still, q_next_still=still_next, **CLOSE)
            if dueling:
                check_streams(check, *online.streams(one["obs"], weights_now), one, distribution)
            priority = CHECKS[distribution](check, one, settings)

            # The step.
            weight = 1.0
            if alpha:
                known = mass_of[: number + 1] if settings["replay"] == "proportional" else masses[-1][RUN]
                weight = check_drawing(check, settings, known, batch, i, metrics, agent.num_updates)
            check(weight=weight, batch_size=BATCH, share=weight / BATCH, **CLOSE)
            check_optimizer(check, plain, before, after, metrics["gradient_norm"][RUN], settings)
            if settings.get("replay") == "rank-based":
                check(priority=priority, rel=1e-3, abs=1e-5)
            elif alpha:
                check(priority=priority + 1e-6, new_mass=(priorities[-1][1][i] + 1e-6) ** alpha, rel=1e-3, abs=1e-5)

            # What it believes now.
            old = values_of(online(one["obs"]))[one["action"]] if noisy else one["q"][one["action"]]
            online.load(after["online"][RUN])
            shown = agent.q_values(np.stack([one["steps"][0][0]] * 2)[:, None])[RUN, 0]
            assert told["q_after"] == shown.tolist()
            assert told["new_q"] == shown[one["action"]]
            check(q_after=values_of(online(one["obs"])), new_q=shown[one["action"]], **CLOSE)
            moved = (shown[one["action"]] - old) / (one["td_target"] - old)
            check(moved=moved, rel=0.02, abs=1e-3)
            check.done()
        if priorities and alpha and metrics:
            places, taught = priorities[-1]
            for position, mass in zip(places, (taught + 1e-6) ** alpha, strict=True):
                mass_of[position] = mass
                highest = max(highest, mass)
    assert_same(agent.state_dict(), plain.state_dict())


def check_streams(check, value, advantage, one, distribution):
    average = advantage.mean(axis=0)
    if distribution == "categorical":
        columns = {"atom": range(ATOMS), "V(s)": value, "A(s, a)": advantage[one["action"]], "mean_b A(s, b)": average}
        check(streams=columns | {"logit": one["estimate"]}, **CLOSE)
    else:  # the mean of quantiles, or the one number
        check(value=value.mean() / SCALE, advantages=advantage.mean(axis=1) / SCALE, **CLOSE)
        check(mean_advantage=average.mean() / SCALE, dueling_q=one["q"][one["action"]], **CLOSE)


def check_drawing(check, settings, masses, batch, i, metrics, num_updates):
    """Check probability and weight, from the masses of all that is kept; return the weight."""
    alpha, place = settings["priority_exponent"], batch.place[RUN]
    if settings["replay"] == "rank-based":
        # Masses are of slots here; which slot a transition has is the array's affair. Each is a rank's.
        ranks = masses ** (-1 / alpha)
        np.testing.assert_allclose(ranks, ranks.round(), rtol=1e-6)
        mass = check.told["mass"]
        assert np.isclose(masses, mass).any()
        # The weights of the batch are those of its masses: w = (least mass / mass)^beta.
        beta = 0.4 + 0.6 * (num_updates - 1) / 100
        batch_masses = batch.weight[RUN].numpy() ** (-1 / beta)
        batch_masses *= mass / batch_masses[i]
    else:
        batch_masses = masses[place]
        mass = batch_masses[i]
    beta = 0.4 + 0.6 * (num_updates - 1) / 100
    size, total = len(masses), masses.sum()
    unscaled = (size * batch_masses / total) ** -beta
    check(alpha=alpha, mass=mass, total_mass=total, probability=mass / total, **CLOSE)
    check(beta=beta, unscaled_weight=unscaled[i], largest_weight=unscaled.max(), **CLOSE)
    assert float(batch.weight[RUN, i]) == pytest.approx(unscaled[i] / unscaled.max(), rel=1e-4)
    return unscaled[i] / unscaled.max()


def check_optimizer(check, plain, before, after, norm, settings):
    """Check the gradient's lengths, and the optimizer's equations for the parameter with the largest gradient."""
    gradient = plain._gradient[RUN].numpy().astype(float)  # clipped
    longest = settings.get("max_gradient_norm", 10.0)
    place = int(np.abs(gradient).argmax())
    g, old, new = gradient[place], before["online"][RUN].astype(float), after["online"][RUN].astype(float)
    check(gradient_norm=norm, clipped_norm=min(norm, longest), learning_rate=0.01, **CLOSE)
    check(change_norm=np.linalg.norm(new - old), parameter=old[place], gradient=g, new_parameter=new[place], **CLOSE)
    rates = (0.95, 0.95) if settings.get("optimizer") == "rmsprop" else (0.9, 0.999)
    m, v = (before["optimizer"][name][RUN, place].astype(float) for name in ("mean", "square"))
    m, v = rates[0] * m + (1 - rates[0]) * g, rates[1] * v + (1 - rates[1]) * g * g
    tight = {"rel": 1e-4, "abs": 1e-9}
    check(gradient_mean=m, gradient_square=v, **tight)
    if settings.get("optimizer") == "rmsprop":
        step = 0.01 * g / np.sqrt(v - m * m + 1e-5)
        check(variance=v - m * m, **tight)
    else:
        t = before["optimizer"]["step"] + 1
        m, v = m / (1 - 0.9**t), v / (1 - 0.999**t)
        step = 0.01 * m / (np.sqrt(v) + 1e-8)
        check(optimizer_steps=t, corrected_mean=m, corrected_square=v, **tight)
    check(optimizer_step=step, **tight)
    assert new[place] == pytest.approx(old[place] - step, rel=1e-4, abs=1e-7)


def test_the_words_of_the_target_network():
    agent = make_agent({"target_update_period": 2})
    said = []
    for transition in random_steps(22):
        told = explain(agent, transition)
        if told is not None:
            said.append(told.sections[5][-1])
    assert said == [
        "The target network stayed as it is; updates until it becomes a copy of the online one: 1.",
        "With this update the target network became a copy of the online one.",
        "The target network stayed as it is; updates until it becomes a copy of the online one: 1.",
    ]


def test_an_item_that_is_not_there():
    agent = make_agent({})
    (transition,) = random_steps(1)
    with pytest.raises(SettingsError, match=r"the item must be from 0 to 7, as there are 8 transitions in a batch"):
        explain(agent, transition, item=8)
    assert agent._replay.size == 0


def test_observations_come_back_from_what_the_replay_keeps():
    support = np.array([[True, False, True], [False, True, True]])
    obs = np.arange(1, 7, dtype=np.uint8).reshape(2, 3) * support
    encoder = make_encoder(Box(0, 255, (2, 3), np.uint8), support)
    back = encoder.decode(encoder.encode(obs[None, None])[0, 0])
    np.testing.assert_array_equal(back, obs)
    assert back.dtype == np.uint8
    counted = make_encoder(Discrete(5, start=3))
    assert counted.decode(counted.encode(np.array([[6]]))[0, 0]) == 6
