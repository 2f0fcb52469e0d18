"""A CSV file that grows as a run goes on, a line for each thing measured, in the order of steps."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gridrl.checkpoint import write_atomically
from gridrl.errors import UserError

if TYPE_CHECKING:
    import pandas


class TidyTable:
    """Columns by name; one of them is `step`, the last one holds a float."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path = path
        self._columns = columns
        self._header = ",".join(columns) + "\n"
        self._step = columns.index("step")

    def create(self) -> None:
        """Write the header alone."""
        self.path.write_text(self._header, encoding="utf-8")

    def append(self, lines: Iterable[str]) -> None:
        """Append whole lines, each with its end."""
        with open(self.path, "a", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)

    def replace(self, lines: Iterable[str]) -> None:
        """Hold these lines from now on, or, where that fails, what was there."""
        write_atomically(self.path, "".join([self._header, *lines]).encode())

    def cut(self, step: int) -> None:
        """Drop the lines after `step`, and a last one that was cut short."""
        self.replace(line for line in self.lines() if line.endswith("\n") and self.step_of(line) <= step)

    def lines(self) -> list[str]:
        """Return the lines below the header."""
        return self.path.read_text(encoding="utf-8").splitlines(keepends=True)[1:]

    def step_of(self, line: str) -> int:
        """Return the step that a line tells of."""
        return int(line.split(",")[self._step])

    def read(self) -> "pandas.DataFrame":
        """Return all lines; floats are just what was written. Raises `UserError` where the file is missing."""
        import pandas

        if not self.path.is_file():
            raise UserError(f"{self.path} is missing; the folder was changed: train again.")
        return pandas.read_csv(self.path, converters={self._columns[-1]: float})


def in_order_of_steps(tables: Iterable[TidyTable]) -> list[str]:
    """Return the lines of several tables as those of one: by their steps, those of a step in the tables' order."""
    lines = [(table.step_of(line), line) for table in tables for line in table.lines() if line.endswith("\n")]
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]
