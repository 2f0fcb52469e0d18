"""`gridrl watch RUN`: a trained agent plays, in a window or as a film."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrl.commands.options import RunArgument, parse
from gridrl.errors import UserError

HOLD_S = 1.0  # an episode's last picture stays this long


@dataclass
class Options:
    """See a trained agent play."""

    run: RunArgument
    """The run's folder."""
    seed: int | None = None
    """Which of its runs, by seed; the best one if not given."""
    epsilon: float = 0.0
    """Share of random actions."""
    episodes: int = 1
    """How many episodes."""
    fps: float = 8.0
    """Steps per second."""
    video: Path | None = None
    """Write a film (.gif or .mp4) and open no window."""

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon <= 1:
            raise UserError(f"--epsilon is a probability from 0 to 1, got {self.epsilon}.")
        if self.episodes < 1:
            raise UserError(f"--episodes must be 1 or more, got {self.episodes}.")
        if not 0 < self.fps <= 1000:
            raise UserError(f"--fps must be above 0 and at most 1000, got {self.fps}.")


def main(argv: list[str]) -> int:
    """Show the run named in `argv`."""
    options: Any = parse(Options, "watch", argv, "See a trained agent play, in a window or as a film.")

    from gridrl.rollout import Frame, episode
    from gridrl.run import Run

    run = Run.load(options.run)
    index = run.best if options.seed is None else run.shown(options.seed)[0]
    who = f"{run.config.agent}, seed {run.config.seeds[index]}"
    totals = []

    def frames() -> Iterator[tuple[Frame, str]]:
        for number in range(options.episodes):
            for frame in episode(run, index, options.epsilon, key=number):
                yield frame, f"{who}   step {frame.step}   return {frame.earned:.0f}"
            totals.append(f"{frame.earned:.0f} in {frame.step} steps")

    if options.video is not None:
        _film(frames(), options.video, options.fps)
        print(f"wrote {options.video}")
    else:
        _window(frames(), options.fps)
    print("return: " + ("; ".join(totals) or "closed before the episode's end"))
    return 0


def _film(frames: Iterator[tuple[Any, str]], path: Path, fps: float) -> None:
    from gridrl.film import caption, write_film

    def captioned() -> Iterator[Any]:
        for frame, text in frames:
            picture = caption(frame.picture, text)
            yield from [picture] * (max(1, round(HOLD_S * fps)) if frame.ended else 1)

    write_film(captioned(), path, fps)


def _window(frames: Iterator[tuple[Any, str]], fps: float) -> None:
    from gridrl.commands.window import open_window

    window = open_window("gridrl watch", fps)
    try:
        for frame, text in frames:
            window.show(frame.picture, text)
            if "space" in window.poll():  # pause until the next one
                window.show(frame.picture, text + "   paused (space)")
                while not window.closed and "space" not in window.poll():
                    window.wait(0.05)
            if frame.ended:
                window.wait(HOLD_S)
            if window.closed:
                return
    finally:
        window.close()
