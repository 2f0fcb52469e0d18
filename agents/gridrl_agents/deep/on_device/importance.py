"""Weights that make up for drawing some transitions more often than others, on a device."""

from torch import Tensor

from gridrl_agents.deep.importance import ImportanceWeights


class DeviceImportanceWeights(ImportanceWeights):
    """`ImportanceWeights` of masses that are tensors."""

    def __call__(self, mass: Tensor) -> Tensor:  # type: ignore[override]
        """Return the weights of one batch, float32 [R, B], from the masses with which it was drawn, [R, B]."""
        weight = (mass.amin(dim=1, keepdim=True) / mass) ** self.beta
        self.num_draws += 1
        return weight.float()
