"""Buttons with their keys, sliders, and the note that explains one on hover."""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from gridrl.studio.shown import Button, Slider
from gridrl.studio.views import icons, shapes, text
from gridrl.studio.views.canvas import SMALL, TINY, Canvas
from gridrl.studio.views.palette import (
    ACCENT,
    ACCENT_LIGHT,
    CARD,
    EDGE,
    FAINT,
    GRID,
    HOVER,
    INK,
    MUTED,
    WARNING,
    Colour,
    mixed,
)

if TYPE_CHECKING:
    import pygame

PAD = 9  # between a button's edge and its label, in design units
_CAP_GAP = 7
_NOTE_WIDTH = 280
_KNOB = 12
_VALUE = 48  # room for a value beside its line
_SHUT: Colour = (246, 247, 249)


class ButtonLook(NamedTuple):
    """What a button's picture depends on."""

    button: Button
    hovered: bool
    selected: bool
    with_key: bool
    as_icon: bool
    behind: Colour  # what lies around its corners


class SliderLook(NamedTuple):
    """What a slider's picture depends on."""

    slider: Slider
    hovered: bool
    selected: bool


@lru_cache(maxsize=2048)
def natural_width(label: str, key: str, with_key: bool, zoom: float, has_icon: bool = False) -> int:
    """Return the width in pixels that a button wants."""
    canvas = _Measure(zoom)
    width = canvas.text(label, SMALL) + 2 * canvas.px(PAD)
    if has_icon:
        width += canvas.px(20)
    if with_key and key:
        width += canvas.px(_CAP_GAP) + canvas.cap(key)
    return width


class _Measure(NamedTuple):
    zoom: float

    def px(self, units: float) -> int:
        return round(units * self.zoom)

    def text(self, line: str, size: float) -> int:
        return text.width(line, max(round(size * self.zoom), 6))

    def cap(self, key: str) -> int:
        return max(self.text(text.key_cap(key), TINY - 1) + self.px(8), self.px(16))


def draw_button(canvas: Canvas, look: ButtonLook) -> None:
    """Draw a button that fills the canvas."""
    button, px = look.button, canvas.px
    w, h = canvas.width, canvas.height
    canvas.surface.fill(look.behind)
    ink, fill, edge = INK, CARD, EDGE
    if button.why_not:
        ink, fill = FAINT, _SHUT
    elif button.on and look.as_icon:
        fill, edge = ACCENT_LIGHT, ACCENT
    elif button.on:
        ink, fill, edge = CARD, mixed(ACCENT, INK, 0.18) if look.hovered else ACCENT, ACCENT
    elif look.hovered:
        fill, edge = HOVER, FAINT
    thick = 2 if button.on and look.as_icon and not button.why_not else 1
    canvas.box((0, 0, w, h), 6, fill, edge, thick)
    if look.selected:
        canvas.box((0, 0, w, h), 6, None, INK, 2)
    if look.as_icon:
        _draw_as_icon(canvas, button)
        return
    x, room = px(PAD), w - 2 * px(PAD)
    cap = _Measure(canvas.zoom).cap(button.key) if look.with_key and button.key else 0
    if cap and room - cap - px(_CAP_GAP) < min(canvas.text_width(button.label, SMALL), px(26)):
        cap = 0
    if icons.has_icon(button.name) and not cap:
        picture = icons.icon(button.name, max(min(px(16), h - px(4)), 4))
        canvas.surface.blit(picture, (x - px(3), (h - picture.get_height()) // 2))
        x, room = x + px(18), room - px(18)
    if cap:
        room -= cap + px(_CAP_GAP)
        draw_cap(canvas, button.key, w - px(PAD - 3) - cap, h // 2, ink, fill)
        canvas.text(button.label, x, h // 2, SMALL, ink, room=room)
    else:
        size = SMALL if canvas.text_width(button.label, SMALL) <= room else TINY
        if canvas.text_width(button.label, size) > room:
            x, room = px(3), w - 2 * px(3)
        canvas.text(button.label, x + room // 2, h // 2, size, ink, align="middle", room=room)


def _draw_as_icon(canvas: Canvas, button: Button) -> None:
    w, h = canvas.width, canvas.height
    picture = icons.icon(button.name, max(min(w, h) - canvas.px(9), 4))
    if button.why_not:
        picture = picture.copy()
        picture.set_alpha(90)
    canvas.surface.blit(picture, ((w - picture.get_width()) // 2, (h - picture.get_height()) // 2))


def draw_cap(canvas: Canvas, key: str, x: int, middle: int, ink: Colour, behind: Colour, room: int = 9**9) -> int:
    """Draw a key cap with its left edge at x, at most `room` pixels high; return its width."""
    px = canvas.px
    width, height = _Measure(canvas.zoom).cap(key), min(px(16), room)
    size = TINY - 1 if height >= px(13) else TINY - 3
    soft = mixed(behind, ink, 0.10), mixed(behind, ink, 0.28)
    canvas.box((x, middle - height // 2, width, height), 4, *soft)
    canvas.text(text.key_cap(key), x + width // 2, middle, size, mixed(behind, ink, 0.75), align="middle")
    return width


def slider_track(width: int, height: int, zoom: float) -> tuple[int, int, int]:
    """Return where a slider's line begins and ends and how high its middle lies, in pixels from its corner."""
    pad = round(_KNOB / 2 * zoom)
    if height >= round(30 * zoom):
        return pad, max(width - pad, pad + 1), height - round(9 * zoom)
    left = round(width * 0.46)
    return left + pad, max(width - round(_VALUE * zoom) - pad, left + pad + 1), height // 2


def draw_slider(canvas: Canvas, look: SliderLook) -> None:
    """Draw a slider that fills the canvas: label and value above the line, or on one line with it where it is low."""
    slider, px = look.slider, canvas.px
    canvas.surface.fill(CARD)
    begin, end, middle = slider_track(canvas.width, canvas.height, canvas.zoom)
    two_lines = middle > canvas.height // 2
    ink = FAINT if slider.why_not else INK
    line = px(9) if two_lines else middle
    value_room = px(90) if two_lines else px(_VALUE - 3)
    size = SMALL if two_lines else TINY
    used = canvas.text(slider.text, canvas.width, line, size, ink, bold=True, align="right", room=value_room)
    room = canvas.width - used - px(8) if two_lines else begin - px(_KNOB / 2 + 4)
    canvas.text(slider.label, 0, line, size, ink if slider.why_not else MUTED, room=room)
    thick = max(px(4), 2)
    canvas.box((begin, middle - thick // 2, end - begin, thick), 2, EDGE)
    colour = FAINT if slider.why_not else ACCENT
    knob_x = begin + round(min(max(slider.position, 0.0), 1.0) * (end - begin))
    canvas.box((begin, middle - thick // 2, max(knob_x - begin, 1), thick), 2, colour)
    knob = shapes.disc(px(_KNOB), ACCENT_LIGHT if look.hovered else CARD, INK if look.selected else colour, px(2))
    canvas.surface.blit(knob, (knob_x - knob.get_width() // 2, middle - knob.get_height() // 2))


@lru_cache(maxsize=32)
def note(title: str, key: str, hint: str, why_not: str, zoom: float, room: int) -> "pygame.Surface":
    """Return the picture of what is said on hover: the control's word, its key, its hint, why it is shut."""
    measure = Canvas(shapes.clear((1, 1)), zoom)
    px, pad = measure.px, measure.px(10)
    cap = _Measure(zoom).cap(key) + px(10) if key else 0
    inner = max(min(px(_NOTE_WIDTH), room) - 2 * pad, px(40))
    size = measure.type_px(SMALL)
    lines = [(line, GRID) for line in text.wrapped(hint, size, inner, 6)] if hint else []
    light_warning = mixed(WARNING, CARD, 0.62)
    lines += [(line, light_warning) for line in text.wrapped(why_not, size, inner, 6)] if why_not else []
    widest = max([measure.text_width(title, SMALL, bold=True) + cap, *(text.width(line, size) for line, _ in lines)])
    width = min(widest, inner) + 2 * pad
    canvas = Canvas(shapes.clear((width, 2 * px(8) + px(18) * (1 + len(lines)))), zoom)
    canvas.box((0, 0, canvas.width, canvas.height), 7, INK)
    middle = px(8) + px(9)
    used = canvas.text(title, pad, middle, SMALL, CARD, bold=True, room=width - 2 * pad - cap)
    if key:
        draw_cap(canvas, key, pad + used + px(10), middle, CARD, INK)
    for line, colour in lines:
        middle += px(18)
        canvas.text(line, pad, middle, SMALL, colour)
    return canvas.surface


def draw_group_title(canvas: Canvas, name: str, behind: Colour) -> None:
    """Draw the name of a group of controls."""
    canvas.surface.fill(behind)
    canvas.text(name, 0, canvas.height - canvas.px(10), TINY, MUTED, bold=True, room=canvas.width)
