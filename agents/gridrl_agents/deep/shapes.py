"""The one check that saved arrays need."""

import numpy as np


def check_shape(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return `array`; raises `ValueError` unless it has that shape."""
    if array.shape != shape:
        raise ValueError(f"its array is {array.shape}, expected {shape}")
    return array
