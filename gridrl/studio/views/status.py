"""The line at the bottom: what goes on now, and for some seconds a sentence for the user."""

from typing import NamedTuple

from gridrl.studio.views import shapes
from gridrl.studio.views.canvas import SMALL, Canvas
from gridrl.studio.views.palette import ACCENT, INK, MUTED, PAPER


class Status(NamedTuple):
    """What the line says."""

    status: str
    message: str


def draw(canvas: Canvas, said: Status) -> None:
    """Draw the status at the left and the message at the right; where both have no room, the message has it."""
    canvas.surface.fill(PAPER)
    px, middle, width = canvas.px, canvas.height // 2 - canvas.px(2), canvas.width
    left = 0
    if said.message:
        dot = px(14)
        wanted = dot + canvas.text_width(said.message, SMALL, bold=True)
        status_width = canvas.text_width(said.status, SMALL)
        both = status_width + px(32) + wanted <= width
        x = width - wanted if both else 0
        picture = shapes.disc(max(px(8), 3), ACCENT)
        canvas.surface.blit(picture, (x, middle - picture.get_height() // 2))
        canvas.text(said.message, x + dot, middle, SMALL, INK, bold=True, room=width - x - dot)
        if not both:
            left = min(wanted, width) + px(24)
    if width - left > px(40):
        canvas.text(said.status, left, middle, SMALL, MUTED, room=width - left if not said.message or left else None)
