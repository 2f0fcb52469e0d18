"""The road between the host and a device: what travels takes it, and all that one step brings goes at once."""

import numpy as np
import torch
from torch import Tensor


def upload(array: np.ndarray, device: torch.device) -> Tensor:
    """Return `array` on `device`; the host does not wait for its arrival."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type == "cuda" and array.size:
        # Only from pinned memory does a copy run beside the host; torch keeps the memory until the copy is done.
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device, copy=True)


class Crossing:
    """Sends the rows of observations to a device, and what happened in a step along with them.

    One step's `next_obs` is the next one's `obs`, but where an episode ended: rows that are equal to those of one of
    the last two that were sent are not sent again.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sent: list[tuple[np.ndarray, Tensor]] = []

    def rows(self, rows: np.ndarray) -> Tensor:
        """Return the rows of observations [R, width] on the device."""
        for sent, tensor in self._sent:
            if np.array_equal(sent, rows):
                return tensor
        return self._remember(rows, upload(rows, self._device))

    def together(self, numbers: np.ndarray, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return float32 `numbers` [any, R] and `rows` [R, width] on the device, sent as one."""
        begin = -(-numbers.nbytes // 16) * 16  # of the rows: a place where any type may begin
        packed = np.zeros(begin + rows.nbytes, dtype=np.uint8)
        packed[: numbers.nbytes].view(numbers.dtype)[:] = numbers.reshape(-1)
        packed[begin:].view(rows.dtype)[:] = rows.reshape(-1)
        sent = upload(packed, self._device)
        dtype = torch.from_numpy(rows[:0]).dtype
        sent_rows = self._remember(rows, sent[begin:].view(dtype).view(rows.shape))
        return sent[: numbers.nbytes].view(torch.float32).view(numbers.shape), sent_rows

    def _remember(self, rows: np.ndarray, tensor: Tensor) -> Tensor:
        self._sent = [(rows, tensor), *self._sent[:1]]
        return tensor
