"""`gridrl watch` for environments that are no gridworlds: the pictures that they draw of themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gridrl.run import Run

HOLD_S = 1.0  # an episode's last picture stays this long


def watch_pictures(run: Run, options: Any) -> int:
    """Show one run as `options` of the command say."""
    from gridrl.rollout import Frame, episode

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
