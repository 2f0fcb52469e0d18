"""What noise does to the values of an update, told (rule: `deep/noisy.py`)."""

from gridrl_agents.deep.explain.look import Look
from gridrl_agents.explanation import BELIEVED, Explanation

EQUATION = "each weight = mu + sigma * noise, drawn anew for each pass"
SOURCE = "Fortunato et al. 2018"


def tell(look: Look, told: Explanation) -> None:
    """Tell the same values without noise."""
    told.values(BELIEVED, "q_still", "Q_online(s, .)", look.q_values(look.before.output), "without noise")
    still = look.q_values(look.before.still_next_output)
    told.values(BELIEVED, "q_next_still", "Q_target(s', .)", still, "without noise")
    told.say(
        BELIEVED,
        "The first rows are those of the update: each network drew noise of its own, and the online one again for each "
        "pass. The last two rows are without noise, as values are shown elsewhere.",
    )
