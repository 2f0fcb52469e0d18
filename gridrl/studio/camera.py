"""Pictures and films of what is seen, written while it goes on. Nothing that exists is overwritten."""

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gridrl.errors import UserError
from gridrl.studio.names import numbered

if TYPE_CHECKING:
    import pygame

FPS = {".mp4": 20.0, ".gif": 10.0}
LONGEST_S = {".mp4": 300.0, ".gif": 30.0}  # a GIF is held in memory until its colours are known
WAITING = 8  # frames that wait to be written; what comes while as many wait is left out


def pixels(picture: "pygame.Surface") -> np.ndarray:
    """Return a surface as an array, uint8 [H, W, 3], a copy."""
    from gridrl_envs.rendering import load_pygame

    size = picture.get_size()
    data = load_pygame().image.tobytes(picture, "RGB")
    return np.frombuffer(data, np.uint8).reshape(size[1], size[0], 3)


class Camera:
    """Takes pictures, and records a film in a thread of its own; tells what it did through `say`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._film: _Film | None = None
        self._takes_picture = False
        self._unfinished: list[_Film] = []  # recorded, and still being written

    @property
    def recording(self) -> str:
        """The ending of the film that is being recorded; empty: none is."""
        return "" if self._film is None else self._film.path.suffix

    def take(self) -> None:
        """Write what is seen next as a picture, under the next free name."""
        self._takes_picture = True

    def _take(self, picture: "pygame.Surface") -> None:
        from gridrl_envs.rendering import load_pygame

        path = numbered("studio", ".png")
        try:
            load_pygame().image.save(picture, path)
        except Exception as error:  # pygame has its own, and passes on those of the system
            return self._say(f"cannot write {path}: {error}")
        self._say(f"wrote {path}")

    def switch(self, ending: str) -> None:
        """Begin a film with this ending, or end the one that is being recorded."""
        if self._film is not None:
            return self.end()
        self._film = _Film(numbered("studio", ending, [film.path for film in self._unfinished]))
        self._say(f"recording {self._film.path}, for at most {LONGEST_S[ending]:.0f} seconds")

    def see(self, picture: "pygame.Surface", now: float) -> None:
        """Show the camera what is seen at a time in seconds; it takes what is due of it."""
        for written in [film for film in self._unfinished if not film.is_writing]:
            self._unfinished.remove(written)
            self._say(written.outcome)
        if self._takes_picture:
            self._takes_picture = False
            self._take(picture)
        film = self._film
        if film is None:
            return
        if not film.is_writing:
            self.end()
        elif film.size not in (None, picture.get_size()):
            self.end("the window has another size now")
        elif film.is_full(now):
            self.end(f"{LONGEST_S[film.path.suffix]:.0f} seconds are the most")
        else:
            film.see(picture, now)

    def end(self, why: str = "") -> None:
        """End the film that is being recorded; it is written in the background."""
        if self._film is not None:
            film, self._film = self._film, None
            film.end()
            self._unfinished.append(film)
            self._say(f"{why}: writing {film.path}" if why else f"writing {film.path}")

    def close(self) -> list[str]:
        """End what is being recorded and wait until all is written; return a sentence for each film."""
        self.end()
        films, self._unfinished = self._unfinished, []
        return [film.wait() for film in films]


class _Film:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.size: tuple[int, int] | None = None
        self._fps = FPS[path.suffix]
        self._begun = 0.0
        self._num_frames = 0
        # A frame, and how often the one before it is shown once more: nothing was drawn meanwhile.
        self._frames: queue.Queue[tuple[np.ndarray, int] | None] = queue.Queue(WAITING)
        self._failure = ""
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    @property
    def is_writing(self) -> bool:
        return self._thread.is_alive()

    @property
    def outcome(self) -> str:
        return self._failure or f"wrote {self.path}, {self._num_frames / self._fps:.1f} seconds"

    def is_full(self, now: float) -> bool:
        return self.size is not None and now - self._begun > LONGEST_S[self.path.suffix]

    def see(self, picture: "pygame.Surface", now: float) -> None:
        if self.size is None:
            self.size, self._begun = picture.get_size(), now
        due = 1 + int((now - self._begun) * self._fps) - self._num_frames
        if due > 0 and not self._frames.full():
            self._frames.put((pixels(picture), due - 1))
            self._num_frames += due

    def end(self) -> None:
        while self.is_writing:
            try:
                return self._frames.put(None, timeout=0.1)
            except queue.Full:
                continue

    def wait(self) -> str:
        self._thread.join()
        return self.outcome

    def _write(self) -> None:
        from gridrl.film import write_film

        try:
            write_film(self._read(), self.path, self._fps)
        except UserError as error:
            self._failure = str(error)

    def _read(self) -> Iterator[np.ndarray]:
        shown = None
        while (entry := self._frames.get()) is not None:
            frame, repeats = entry
            if shown is not None:
                for _ in range(repeats):
                    yield shown
            shown = frame
            yield frame
