"""How torch is to work for small networks."""

import numpy as np
import torch


def configure_torch(threads: int = 1) -> None:
    """Set torch, for the whole process, to `threads` threads and to flush denormal numbers to zero.

    One thread is fastest for small networks, and with it a run's results do not depend on the other runs, to the last
    bit. Moments of weights that no longer get a gradient decay into denormals, on which a processor is many times
    slower. Whoever builds a deep agent calls this (`build_dqn` does); importing the package changes nothing.
    """
    np.finfo(np.float32), np.finfo(np.float64)  # numpy takes its measure here, and warns where denormals are flushed
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def configure_cuda() -> None:
    """Set torch, for the whole process, to round on CUDA devices as on the host and to repeat itself where it can.

    TF32 would keep 10 of 23 bits of what is multiplied. Sums that many threads add to, as in the projection of
    categorical distributions, have no fixed order: there the last bits may differ from one time to the next.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
