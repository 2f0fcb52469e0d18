"""Gridworlds for Gymnasium: `gymnasium.make("dense-v0")`.

Importing this package registers its ids as soon as gymnasium is imported, and imports nothing else. A one-line file
in site-packages (`gridrl_envs_register.pth`) imports it when Python starts, so that the ids are known with no import
at all. Gymnasium itself loaded such plugins by entry point until its version 1.0.
"""

import sys

TYPE_CHECKING = False  # as typing's, without the import: this runs whenever Python starts
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

# The best discounted return from the start, where it is known:
#   dense-v0        433.395 at gamma .9 (exact); 895.1 to 903.1 at .95; 2677.7 to 2829.5 at .99; 4100 undiscounted.
#   dense-small-v0  exactly solvable (20 480 states): `gridrl_envs.model.build_model` and value iteration.
#   sparse-v0       one goal at the far end: exactly solvable.
#   four-rooms-v0   exactly solvable.
LEVELS = ("dense", "dense-small", "sparse", "four-rooms")


def register_envs() -> None:
    """Register `<level>-v0` for each built-in level; ids that are known already are left alone."""
    from gymnasium.envs.registration import register, registry

    for level in LEVELS:
        if (env_id := f"{level}-v0") not in registry:
            register(
                env_id,
                entry_point="gridrl_envs.gridworld:GridworldEnv",
                vector_entry_point="gridrl_envs.vector:GridworldVectorEnv",
                kwargs={"level": level},
                # The environment checks its actions and the order of calls itself, and faster.
                disable_env_checker=True,
                order_enforce=False,
            )


class _RegisterAfterGymnasium:
    """Finds gymnasium as the other finders do, and registers our ids once its module has run."""

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None", target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Return gymnasium's own spec with `register_envs` behind its execution, None for any other module."""
        if fullname != "gymnasium":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next((spec for finder in others if (spec := finder.find_spec(fullname, path, target))), None)
        if spec is not None and spec.loader is not None:
            run_module = spec.loader.exec_module

            def run_and_register(module: "ModuleType") -> None:
                run_module(module)
                register_envs()

            spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec


if "gymnasium" in sys.modules:
    register_envs()
else:
    sys.meta_path.insert(0, _RegisterAfterGymnasium())
