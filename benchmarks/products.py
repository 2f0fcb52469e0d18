"""An update of DQN beside the bare matrix products that it cannot do without."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from benchmarks.contest import Comparison, Contender, Contest, Work
from benchmarks.dqn import BATCH, HIDDEN, PIECE, WARM_UP, our_agent, our_learning

# Our layers on dense-v0 as they lie in memory: 310 inputs that can be other than zero and 4 actions, padded.
WIDTHS = (320, *HIDDEN, 16)


def our_update(num_runs: int, warm_up: int = WARM_UP, **options: Any) -> Callable[[], None]:
    """Return one update of each run: draw a batch, learn from it."""
    agent = our_agent(num_runs, **options)
    our_learning(num_runs, agent, warm_up)
    replay = agent._replay  # type: ignore[attr-defined]

    def update() -> None:
        agent.learn(replay.sample())  # type: ignore[attr-defined]

    return update


def bare_products(num_runs: int, widths: Sequence[int] = WIDTHS) -> Callable[[], None]:
    """Return the products of one update of each run: two passes forward, the weights' gradients, what flows back.

    Into memory that is there already, and nothing but products: no bias, rectifier, loss, clipping or Adam.
    """
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    shapes = list(pairwise(widths))
    online, target = ([torch.randn(num_runs, *shape) / shape[0] ** 0.5 for shape in shapes] for _ in range(2))
    gradient = [torch.zeros(num_runs, *shape) for shape in shapes]
    entering, leaving = ([torch.rand(num_runs, BATCH, width) for width in widths] for _ in range(2))
    flowing = [torch.rand(num_runs, BATCH, width) for width in widths]

    def products() -> None:
        for passing, weights in ((leaving, target), (entering, online)):
            for layer, weight in enumerate(weights):
                torch.bmm(passing[layer], weight, out=passing[layer + 1])
        for layer in reversed(range(len(shapes))):
            torch.bmm(entering[layer].transpose(1, 2), flowing[layer + 1], out=gradient[layer])
            if layer:
                torch.bmm(flowing[layer + 1], online[layer].transpose(1, 2), out=flowing[layer])

    return products


def in_pieces(build: Callable[[int], Callable[[], None]], num_runs: int) -> Work:
    """Return work that counts updates of a run."""
    once = build(num_runs)

    def work() -> int:
        for _ in range(PIECE):
            once()
        return PIECE * num_runs

    return work


def contender(name: str, build: Callable[[int], Callable[[], None]], num_runs: int) -> Contender:
    """Return an update, or its products, with so many runs in lockstep."""
    return Contender(f"{name}, R = {num_runs}", "updates", in_pieces, {"build": build, "num_runs": num_runs})


RUNS = (1, 4, 8)
SIDES: tuple[tuple[str, Callable[[int], Callable[[], None]]], ...] = (
    ("update", our_update),
    ("products", bare_products),
)
CONTEST = Contest(
    "products",
    "Draw a batch of 32 and learn from it (no acting, no environment), beside the eleven matrix products of the same "
    "shapes and nothing else; the ratio is the products' share of an update's time.",
    tuple(contender(name, build, runs) for runs in RUNS for name, build in SIDES),
    tuple(
        Comparison(f"update beside its products, R = {runs}", f"update, R = {runs}", f"products, R = {runs}", 0.6)
        for runs in RUNS
    ),
)
