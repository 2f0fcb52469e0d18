"""How a study was made: settings.toml in its folder, from which its page is written, now and again later."""

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

import tomli_w

from gridrl.checkpoint import write_atomically
from gridrl.errors import UserError
from gridrl.run_config import versions

SETTINGS = "settings.toml"


@dataclass(frozen=True)
class Made:
    """The command that made a study, in parts, and how long it took."""

    study: str
    budget: str
    seeds: int | None  # None: the budget's own
    seconds: float

    @property
    def command(self) -> str:
        """The command."""
        seeds = "" if self.seeds is None else f" --seeds {self.seeds}"
        return f"gridrl study run {self.study} --budget {self.budget}{seeds}"

    def write(self, folder: Path) -> None:
        """Write settings.toml, with the versions of all that a result depends on."""
        data = {name: value for name, value in asdict(self).items() if value is not None}
        write_atomically(folder / SETTINGS, tomli_w.dumps(data | {"versions": versions()}).encode())

    @classmethod
    def read(cls, folder: Path) -> "Made":
        """Return what `write` wrote; raises `UserError` where the folder has none, or one that was changed."""
        try:
            data = tomllib.loads((folder / SETTINGS).read_text(encoding="utf-8"))
            return cls(str(data["study"]), str(data["budget"]), data.get("seeds"), float(data["seconds"]))
        except OSError:
            raise UserError(
                f"{folder} has no {SETTINGS}, so it is no folder of a study that was run; run it: gridrl study list"
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{folder / SETTINGS} cannot be read ({error!r}); run the study again.") from None
