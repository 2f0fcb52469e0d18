"""Everything a training run is at one step, in one file: safetensors for arrays, JSON for the rest; never pickle."""

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gridrl.errors import UserError

FORMAT = 1  # raised whenever a checkpoint of an older version can no longer be read
SEPARATOR = "/"
TEMPORARY = ".*tmp*"  # the pattern of the names that files have while they are written; safetensors has its own
HEADER = "gridrl"  # the metadata entry that holds format, checksum and all that is not an array


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write `state`, nested mappings whose leaves are numpy arrays or JSON values, whole or not at all.

    The file is written under a temporary name, flushed to the disk and renamed. Raises `OSError` where that fails; what
    stood at `path` is then untouched. No copy is made of the arrays, and another thread can work nearly all the time.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    arrays: dict[str, np.ndarray] = {}
    values: dict[str, Any] = {}
    _split(state, "", arrays, values)
    text = json.dumps(values)
    header = {"format": FORMAT, "sha256": _digest(arrays, text), "state": text}
    with _replacing(path) as temporary:
        try:
            # One entry only: the library writes several in an order of chance, and equal states shall give equal files.
            save_file(arrays, temporary, metadata={HEADER: json.dumps(header)})
        except SafetensorError as error:
            found = re.search(r"os error (\d+)", str(error))
            number = int(found[1]) if found else errno.EIO
            raise OSError(number, os.strerror(number) if found else str(error), str(path)) from error


def load(path: Path) -> dict[str, Any]:
    """Return the state that `save` wrote; raises `UserError` for a missing, damaged or other version's file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})[HEADER])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; expected a checkpoint.") from None
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} is damaged and was not loaded ({error}); {_REMEDY}") from None
    if header.get("format") != FORMAT:
        found = header.get("format")
        raise UserError(f"{path} has checkpoint format {found}, this gridrl reads format {FORMAT}; {_REMEDY}")
    if header.get("sha256") != _digest(arrays, header.get("state", "")):
        raise UserError(f"{path} is damaged and was not loaded (its checksum does not fit); {_REMEDY}")
    state = _nest(json.loads(header["state"]))
    for name, array in arrays.items():
        _put(state, name, array)
    return state


_REMEDY = "remove it to go on from an older one, or train again."


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, flush it to the disk, and rename it."""
    with _replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; flush what was written to the disk, and rename it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _split(state: Mapping[str, Any], prefix: str, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
    """Sort the leaves of a nested mapping into arrays and JSON values, named by their path."""
    for key, value in state.items():
        name = prefix + str(key)
        if isinstance(value, Mapping):
            values[name] = {}  # an empty mapping is a mapping still
            _split(value, name + SEPARATOR, arrays, values)
        elif isinstance(value, np.ndarray):
            arrays[name] = np.ascontiguousarray(value)
        else:
            values[name] = value


def _nest(values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in values.items():
        _put(nested, name, value)
    return nested


def _put(nested: dict[str, Any], name: str, value: Any) -> None:
    *parents, last = name.split(SEPARATOR)
    for parent in parents:
        nested = nested.setdefault(parent, {})
    nested[last] = value


def _digest(arrays: Mapping[str, np.ndarray], values: str) -> str:
    digest = hashlib.sha256(values.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return digest.hexdigest()
