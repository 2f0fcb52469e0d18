"""What is so of levels that change under a hand: worked out beside the window, which never waits for it."""

import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridrl.truth.known import Known
    from gridrl_envs.level import Level

    Question = tuple[Level, float]

KEPT = 4  # answers; one of four million states, the most that are solved, takes some 200 MB
WAITING = 2  # questions: two minds may discount differently


class Truth:
    """Solves levels in a thread of its own; numpy and scipy leave the others enough time in between.

    The newest question comes first, and only the two newest wait: what was painted over meanwhile is never solved. One
    that was begun is finished. A question may be asked again and again, in every frame.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Question] = deque(maxlen=WAITING)
        self._begun: Question | None = None
        self._found: OrderedDict[Question, Known] = OrderedDict()  # the one that was looked at last comes last
        self._thread: threading.Thread | None = None
        self._closed = False

    def ask(self, level: "Level", gamma: float) -> None:
        """Have a level solved, if it is not yet; returns at once."""
        question = level, gamma
        with self._changed:
            if self._closed or question == self._begun or question in self._found or question in self._waiting:
                return
            self._waiting.append(question)
            if self._thread is None:
                # A daemon: a program that ends does not wait for it.
                self._thread = threading.Thread(target=self._work, name="truth", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def known(self, level: "Level", gamma: float) -> "Known | None":
        """Return what is known of a level; None as long as that is being worked out, or where nobody asked."""
        with self._changed:
            found = self._found.get((level, gamma))
            if found is not None:
                self._found.move_to_end((level, gamma))
            return found

    def close(self) -> None:
        """Answer no more; what was begun ends by itself, and nobody waits for it."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                self._begun = self._waiting.pop()
                level, gamma = self._begun
            answer = _answer(level, gamma)
            with self._changed:
                self._found[level, gamma] = answer
                if len(self._found) > KEPT:
                    self._found.popitem(last=False)
                self._begun = None


def _answer(level: "Level", gamma: float) -> "Known":
    """Return what is known of a level, whatever goes wrong: a window that shows the reason is better than none."""
    from gridrl.truth.known import Known, known

    try:
        return known(level, gamma)
    except Exception as error:
        return Known(None, str(error) or type(error).__name__, None, None, False)
