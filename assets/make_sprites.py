"""Draw the sprites of the board: `python assets/make_sprites.py` rewrites `assets/sprites/*.png`.

Each sprite is drawn eight times too large and scaled down, so that its edges are smooth. Coordinates run from 0 to
128, the size of a finished tile. What the player seeks is light and round or stands upright (coin, flag), what harms it
is dark (poison, pit) or pointed (patroller): shape and lightness tell them apart where hue cannot. Needs Pillow.
"""

import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

SIZE = 128
OVERSAMPLING = 8

INK = "#23293a"
FLOOR, FLOOR_ALTERNATE = "#f2ede2", "#ebe5d8"
WALL_TOP, WALL_INSET, WALL_EDGE = "#56627a", "#5c6981", "#6b7991"
WALL_FRONT, WALL_FOOT = "#3d475c", "#333c4f"
COIN, COIN_RIM, COIN_RING, COIN_SHINE = "#f7c93c", "#96640c", "#dc9f1f", "#fff1b8"
LIQUID, LIQUID_LIGHT, GLASS, CORK = "#6b2a86", "#9a55b8", "#e6d9ee", "#a9764a"
POISON_RIM = "#35124a"
PLAYER, PLAYER_LIGHT, PLAYER_RIM = "#1f78c8", "#4d9fe6", "#0d3d70"
PATROLLER, PATROLLER_RIM = "#dd5f1c", "#6e2508"
FLAG, FLAG_SHADE, FLAG_RIM, PAD, PAD_RIM = "#12a67c", "#0b8463", "#064a38", "#cfeee0", "#7fcdb0"
PIT_RIM, PIT_SIDE, PIT_DEPTH = "#8d8778", "#3a3844", "#12111a"

Point = tuple[float, float]


class Canvas:
    """A transparent picture `SIZE` units wide that draws in those units."""

    def __init__(self) -> None:
        self.image = Image.new("RGBA", (SIZE * OVERSAMPLING,) * 2)

    def _paint(self, colour: str, draw: Callable[[ImageDraw.ImageDraw], None], opacity: float, blur: float = 0) -> None:
        mask = Image.new("L", self.image.size)
        draw(ImageDraw.Draw(mask))
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * OVERSAMPLING))
        layer = Image.new("RGBA", self.image.size, colour)
        layer.putalpha(mask.point(lambda value: round(value * opacity)))
        self.image.alpha_composite(layer)

    def disc(
        self, x: float, y: float, radius: float, colour: str, *, squash: float = 1.0, opacity: float = 1.0
    ) -> None:
        """Fill an ellipse `radius` wide to each side and `radius * squash` high."""
        box = _scaled([(x - radius, y - radius * squash), (x + radius, y + radius * squash)])
        self._paint(colour, lambda pen: pen.ellipse(box, fill=255), opacity)

    def box(
        self, corners: tuple[float, float, float, float], colour: str, *, radius: float = 0, opacity: float = 1.0
    ) -> None:
        """Fill a rectangle (left, top, right, bottom) with rounded corners."""
        box = _scaled([corners[:2], corners[2:]])
        # Pillow's boxes include their last pixel; a neighbour would be covered without the one taken off.
        box[1] = (box[1][0] - 1, box[1][1] - 1)
        self._paint(colour, lambda pen: pen.rounded_rectangle(box, radius * OVERSAMPLING, fill=255), opacity)

    def shape(self, points: list[Point], colour: str, *, rounding: float = 0, opacity: float = 1.0) -> None:
        """Fill a polygon, grown by `rounding` units all round, which also rounds its corners."""
        corners = _scaled(points)

        def draw(pen: ImageDraw.ImageDraw) -> None:
            pen.polygon(corners, fill=255)
            reach = rounding * OVERSAMPLING
            if reach:
                pen.line([*corners, corners[0]], fill=255, width=round(2 * reach))
                for x, y in corners:
                    pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)

        self._paint(colour, draw, opacity)

    def drop(self, x: float, radius: float, tip_x: float, tip_radius: float, y: float, colour: str) -> None:
        """Fill a drop that lies on its side: a disc and a smaller one to its right, with their common tangents."""
        slope = math.acos((radius - tip_radius) / (tip_x - x))
        points = [
            (centre + r * math.cos(angle), y + r * math.sin(angle))
            for centre, r, angle in (
                (x, radius, slope),
                (tip_x, tip_radius, slope),
                (tip_x, tip_radius, -slope),
                (x, radius, -slope),
            )
        ]
        self.disc(x, y, radius, colour)
        self.disc(tip_x, y, tip_radius, colour)
        self.shape(points, colour)

    def shadow(self, x: float, y: float, radius: float) -> None:
        """Lay a soft flat shadow on the ground."""
        box = _scaled([(x - radius, y - radius * 0.32), (x + radius, y + radius * 0.32)])
        self._paint(INK, lambda pen: pen.ellipse(box, fill=255), 0.28, blur=3)

    def finished(self) -> Image.Image:
        """The picture at its final size."""
        return self.image.resize((SIZE, SIZE), Image.Resampling.BOX)


def _scaled(points: list[Point]) -> list[Point]:
    return [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points]


def floor(canvas: Canvas, colour: str = FLOOR) -> None:
    """Plain ground; a chequer of two shades shows the cells."""
    canvas.box((0, 0, 128, 128), colour)


def floor_alternate(canvas: Canvas) -> None:
    """The chequer's other shade."""
    floor(canvas, FLOOR_ALTERNATE)


def wall(canvas: Canvas) -> None:
    """The top of a wall, seen from above."""
    canvas.box((0, 0, 128, 128), WALL_TOP)
    canvas.box((7, 7, 121, 121), WALL_INSET, radius=12)


def wall_front(canvas: Canvas) -> None:
    """A wall with open ground below it: its front is seen."""
    canvas.box((0, 0, 128, 128), WALL_TOP)
    canvas.box((7, 7, 121, 84), WALL_INSET, radius=12)
    canvas.box((0, 91, 128, 128), WALL_FRONT)
    canvas.box((0, 88, 128, 93), WALL_EDGE)
    canvas.box((0, 121, 128, 128), WALL_FOOT)


def shade(canvas: Canvas) -> None:
    """The shadow that a wall lays on the ground below it."""
    for line in range(36):
        canvas.box((0, line, 128, line + 1), INK, opacity=0.26 * (1 - line / 36) ** 1.6)


def coin(canvas: Canvas) -> None:
    """A light disc."""
    canvas.shadow(64, 101, 30)
    canvas.disc(64, 64, 38, COIN_RIM)
    canvas.disc(64, 64, 32, COIN)
    canvas.disc(64, 64, 23, COIN_RING)
    canvas.disc(64, 64, 18, COIN)
    canvas.disc(53, 52, 6, COIN_SHINE)


def poison(canvas: Canvas) -> None:
    """A dark flask with a wide foot."""
    canvas.shadow(64, 109, 44)
    body = [(55, 40), (73, 40), (104, 100), (24, 100)]
    canvas.shape(body, POISON_RIM, rounding=9)
    canvas.box((46, 22, 82, 50), POISON_RIM, radius=6)
    canvas.shape([(57, 42), (71, 42), (102, 99), (26, 99)], GLASS, rounding=3)
    canvas.box((54, 30, 74, 48), GLASS, radius=2)
    canvas.shape([(47, 62), (81, 62), (102, 99), (26, 99)], LIQUID, rounding=3)
    canvas.shape([(47, 62), (81, 62), (84, 67), (44, 67)], LIQUID_LIGHT, rounding=3)
    canvas.disc(52, 86, 6.5, LIQUID_LIGHT)
    canvas.disc(73, 79, 5, LIQUID_LIGHT)
    canvas.disc(80, 93, 4, LIQUID_LIGHT)
    canvas.box((50, 16, 78, 33), POISON_RIM, radius=5)
    canvas.box((54, 20, 74, 30), CORK, radius=3)


def player(canvas: Canvas) -> None:
    """A round friend with two eyes, in a light ring that parts it from whatever it stands on."""
    canvas.shadow(64, 111, 44)
    canvas.box((13, 10, 115, 112), "#ffffff", radius=43)
    canvas.box((17, 14, 111, 108), PLAYER_RIM, radius=39)
    canvas.box((23, 20, 105, 102), PLAYER, radius=33)
    canvas.disc(64, 33, 26, PLAYER_LIGHT, squash=0.3)
    for x in (47, 81):
        canvas.disc(x, 58, 15, "#ffffff", squash=1.15)
        canvas.disc(x, 61, 8, INK, squash=1.15)
        canvas.disc(x + 3, 57, 3, "#ffffff")
    canvas.box((52, 84, 76, 90), PLAYER_RIM, radius=3)


def patroller(canvas: Canvas) -> None:
    """A pointed guard that heads right; it is turned for the other headings, so its light has no direction."""
    for colour, margin in (("#ffffff", 0), (PATROLLER_RIM, 4.5), (PATROLLER, 10.5)):
        canvas.drop(53, 44 - margin, 108, 14 - margin, 64, colour)
    for y in (47, 81):
        canvas.disc(66, y, 11.5, "#ffffff")
        canvas.disc(70.5, y, 6.5, INK)


def goal(canvas: Canvas) -> None:
    """A flag on a light pad."""
    canvas.box((8, 8, 120, 120), PAD_RIM, radius=20)
    canvas.box((13, 13, 115, 115), PAD, radius=16)
    canvas.disc(44, 107, 20, FLAG_RIM, squash=0.3, opacity=0.35)
    pennant = [(46, 24), (104, 44), (46, 66)]
    canvas.shape(pennant, FLAG_RIM, rounding=7)
    canvas.shape(pennant, FLAG, rounding=2)
    canvas.shape([(46, 47), (98, 45), (46, 66)], FLAG_SHADE, rounding=1.5)
    canvas.box((37, 13, 49, 110), FLAG_RIM, radius=6)


def pit(canvas: Canvas) -> None:
    """A hole that takes up the whole cell."""
    canvas.box((5, 5, 123, 123), PIT_RIM, radius=30)
    canvas.box((11, 11, 117, 117), PIT_SIDE, radius=25)
    canvas.box((17, 27, 111, 117), PIT_DEPTH, radius=22)


SPRITES = [floor, floor_alternate, wall, wall_front, shade, coin, poison, player, patroller, goal, pit]


def main(folder: Path) -> None:
    """Draw every sprite and write it under `folder`."""
    folder.mkdir(exist_ok=True)
    for sprite in SPRITES:
        canvas = Canvas()
        sprite(canvas)
        canvas.finished().save(folder / f"{sprite.__name__}.png", optimize=True)


if __name__ == "__main__":
    main(Path(__file__).parent / "sprites")
