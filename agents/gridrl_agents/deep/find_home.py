"""Find the home that a device's name stands for."""

import torch

from gridrl_agents.deep.configure import configure_cuda
from gridrl_agents.deep.home import HOST, Home
from gridrl_agents.deep.on_device.home import Device
from gridrl_agents.errors import SettingsError


def find_home(device: str) -> Home:
    """Return the home called "cpu", "cuda" or "cuda:N"; raises `SettingsError` where torch cannot use such a device.

    Sets torch, for the whole process, to compute on CUDA devices as it does on the host; see `configure_cuda`.
    """
    if device == "cpu":
        return HOST
    if not torch.cuda.is_available():
        raise SettingsError(
            f"device {device!r} needs a torch that can use a GPU, and this one ({torch.__version__}) finds none; "
            "install a CUDA build of torch (pytorch.org tells how), or leave the device out."
        )
    found = torch.device(device)
    if found.index is not None and found.index >= torch.cuda.device_count():
        raise SettingsError(
            f"device must be 'cuda:0' to 'cuda:{torch.cuda.device_count() - 1}' on this machine, not {device!r}; "
            "take one of these, or plain 'cuda'."
        )
    configure_cuda()
    return Device(torch.device("cuda", torch.cuda.current_device() if found.index is None else found.index))
