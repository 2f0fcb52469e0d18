"""The page as a whole: where its parts stand, what lies at a place, what is drawn again."""

import itertools

import numpy as np
import pytest

from gridrl.studio.shown import Button, Hit, Shown, Slider, Timeline
from gridrl.studio.views.layout import content_of, layout_of
from gridrl.studio.views.page import Page
from gridrl_envs.level import Level

SIZES = [
    ((640, 480), 1.0),
    ((800, 600), 1.0),
    ((1000, 700), 1.0),
    ((1280, 800), 1.0),
    ((1920, 1080), 1.5),
    ((2560, 1600), 2.0),
    ((700, 1200), 1.0),
    ((3840, 2160), 1.0),
]
FEW_SIZES = [((640, 480), 1.0), ((1280, 800), 1.0), ((1200, 900), 1.25)]


def overlap(one, other):
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and (one[1] < other[1] + other[3] and other[1] < one[1] + one[3])
    )


def inside(part, whole):
    return (
        part[0] >= whole[0]
        and part[1] >= whole[1]
        and (part[0] + part[2] <= whole[0] + whole[2] and part[1] + part[3] <= whole[1] + whole[3])
    )


def contents(pages):
    small, large = pages.room(5, 5), pages.room(30, 30)
    yield from (pages.live(), pages.live(minds=2), pages.live(minds=2, difference=True), pages.live(small))
    yield from (pages.live(large), pages.live(large, minds=2), pages.bare(), pages.editor(), pages.bare(small))
    yield from (pages.live(batch=()), pages.live(plots=(), numbers=(), facts=(), batch=()), pages.live(sliders=()))
    yield from (pages.live(buttons=(), sliders=(), timeline=None), Shown(pages.bare().boards))
    four = pages.live().boards * 4
    yield pages.bare(boards=four)


@pytest.mark.parametrize(("size", "zoom"), [*SIZES, ((320, 240), 1.0), ((120, 80), 2.0), ((1, 1), 1.0)])
def test_no_part_lies_over_another_or_beyond_the_window(pages, size, zoom):
    usual = size[0] >= 640 * zoom
    for shown in contents(pages):
        plan = layout_of(content_of(shown), size, zoom)
        for one, other in itertools.combinations(plan.parts, 2):
            assert not (usual and overlap(one.rect, other.rect)), (one, other)
        for part in plan.parts:
            assert not usual or inside(part.rect, (0, 0, *size)), part


@pytest.mark.parametrize(("size", "zoom"), SIZES)
def test_every_control_and_every_board_has_a_place(pages, size, zoom):
    for shown in contents(pages):
        parts = layout_of(content_of(shown), size, zoom).parts
        named = [part.name for part in parts if part.kind in ("button", "slider")]
        assert sorted(named) == sorted([each.name for each in (*shown.buttons, *shown.sliders)])
        num_boards = len(shown.boards) + (shown.difference is not None)
        assert sum(part.kind == "board" for part in parts) == num_boards
        assert all(part.tile >= 4 for part in parts if part.kind == "board")


def test_panels_leave_a_small_window_one_after_the_other(pages):
    def kinds(width, height):
        return {part.kind for part in layout_of(content_of(pages.live()), (width, height), 1.0).parts}

    everything = {"facts", "plot", "numbers", "batch"}
    assert everything <= kinds(1280, 800)
    assert kinds(800, 600) & everything == {"facts", "plot"}
    assert "board" in kinds(640, 480)


def test_a_board_is_as_large_as_its_window_allows(pages):
    for size in ((1000, 700), (700, 1000), (640, 480)):
        plan = layout_of(content_of(pages.bare()), size, 1.0)
        board = next(part for part in plan.parts if part.kind == "board")
        assert board.rect[2] > 0.9 * (size[0] - 24) or board.rect[3] > 0.7 * size[1]


def changed(raw, shown, other, size, zoom):
    """The places (x, y) whose pixels differ between two pages."""
    one, two = (raw(Page().draw(each, size, zoom)) for each in (shown, other))
    y, x = np.nonzero(one != two)
    assert len(x)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def some(places, count=60):
    return places[:: max(len(places) // count, 1)]


@pytest.mark.parametrize(("size", "zoom"), FEW_SIZES)
def test_what_is_drawn_at_a_place_is_what_is_hit_there(pages, raw, size, zoom):
    """One control after the other is made to look otherwise; where the page then differs, it is hit."""
    shown, page = pages.live(minds=2, difference=True), Page()
    reference = raw(page.draw(shown, size, zoom))
    for kind, field in (("button", "buttons"), ("slider", "sliders")):
        controls = getattr(shown, field)
        for number, control in enumerate(controls):
            other = control._replace(why_not="" if control.why_not else "Not now.")
            now = shown._replace(**{field: (*controls[:number], other, *controls[number + 1 :])})
            differs = raw(page.draw(now, size, zoom)) != reference
            y, x = np.nonzero(differs)
            assert len(x), control.name
            for place in some(list(zip(x.tolist(), y.tolist(), strict=True)), 12):
                hit = page.hit(shown, size, zoom, place)
                assert (hit.kind, hit.name) == (kind, control.name)


@pytest.mark.parametrize(("size", "zoom"), FEW_SIZES)
def test_every_cell_is_hit_where_it_is_drawn(pages, raw, size, zoom):
    shown = pages.live(minds=2, difference=True)
    boards = (*shown.boards, shown.difference)
    level, page = boards[0].level, Page()
    plain = [board._replace(cursor=None) for board in boards]

    def with_boards(every):
        return shown._replace(boards=tuple(every[:2]), difference=every[2])

    reference = raw(page.draw(with_boards(plain), size, zoom))
    for number, cell in itertools.product(range(3), range(3, level.rows * level.columns, 37)):
        every = list(plain)
        every[number] = plain[number]._replace(cursor=cell)
        y, x = np.nonzero(raw(page.draw(with_boards(every), size, zoom)) != reference)
        assert len(x)
        for place in some(list(zip(x.tolist(), y.tolist(), strict=True)), 8):
            assert page.hit(shown, size, zoom, place) == Hit("cell", board=number, cell=cell)


@pytest.mark.parametrize(("size", "zoom"), FEW_SIZES)
def test_a_position_along_a_slider_is_where_its_knob_is_drawn(pages, raw, size, zoom):
    shown = pages.live()
    for number in (0, 4):
        slider = shown.sliders[number]

        def at(position, number=number, slider=slider):
            moved = slider._replace(position=position)
            return shown._replace(sliders=(*shown.sliders[:number], moved, *shown.sliders[number + 1 :]))

        for position in (0.0, 0.3, 1.0):
            far = 1.0 if position < 0.5 else 0.0
            places = changed(raw, at(position), at(far), size, zoom)
            x = np.array([place[0] for place in places])
            y = np.array([place[1] for place in places])
            # The knob is the end of what changed that lies on its side.
            end = x.min() + 6 * zoom if position < far else x.max() - 6 * zoom  # its middle
            at_end = (round(end), int(np.median(y)))
            assert Page().along(shown, size, zoom, slider.name, at_end) == pytest.approx(position, abs=0.1)
            hit = Page().hit(shown, size, zoom, at_end)
            assert (hit.kind, hit.name) == ("slider", slider.name)
            assert hit.position == Page().along(shown, size, zoom, slider.name, at_end)


def test_the_timeline_is_hit_along_its_line(pages, raw):
    size, moments = (1280, 800), tuple(range(0, 10_001, 1000))
    shown = pages.live(timeline=Timeline(moments, 10_000, 5000))
    places = changed(raw, shown, shown._replace(timeline=Timeline(moments, 10_000, 2000)), size, 1.0)
    kinds = {Page().hit(shown, size, 1.0, place).kind for place in some(places)}
    assert kinds == {"timeline"}
    knob = Page().along(shown, size, 1.0, "timeline", (0, 700))
    assert knob == 0.0
    assert Page().along(shown, size, 1.0, "timeline", (5000, 0)) == 1.0
    with pytest.raises(KeyError):
        Page().along(shown, size, 1.0, "no such slider", (0, 0))


def test_nothing_is_hit_between_the_parts_and_while_the_help_is_open(pages):
    shown = pages.live()
    assert Page().hit(shown, (1280, 800), 1.0, (2, 2)) == Hit("")
    assert Page().hit(shown, (1280, 800), 1.0, (-5, 900)) == Hit("")
    button = next(part for part in layout_of(content_of(shown), (1280, 800), 1.0).parts if part.name == "pause")
    place = (button.rect[0] + 5, button.rect[1] + 5)
    assert Page().hit(shown, (1280, 800), 1.0, place) == Hit("button", "pause")
    assert Page().hit(shown._replace(help=True), (1280, 800), 1.0, place) == Hit("")


VARIATIONS = {
    "plot": lambda pages, shown: shown._replace(plots=pages.plots(2, 500)),
    "facts": lambda pages, shown: shown._replace(facts=(pages.facts(seed=9), pages.facts(seed=8))),
    "numbers": lambda pages, shown: shown._replace(numbers=tuple((row[0], "8", "9") for row in shown.numbers)),
    "batch": lambda pages, shown: shown._replace(batch=shown.batch[::-1]),
    "status": lambda pages, shown: shown._replace(status="Something else. " * 20, message="Saved. " * 20),
    "timeline": lambda pages, shown: shown._replace(timeline=Timeline((5,), 10, 5)),
    "header": lambda pages, shown: shown._replace(
        boards=tuple(
            board._replace(title="An agent of a very long name, longer than this " * 3) for board in shown.boards
        )
    ),
}


@pytest.mark.parametrize(("size", "zoom"), [((1280, 800), 1.0), ((1600, 1050), 1.3)])
@pytest.mark.parametrize("kind", VARIATIONS)
def test_a_part_that_changes_is_drawn_within_its_own_place(pages, raw, kind, size, zoom):
    shown, page = pages.live(minds=2), Page()
    other = VARIATIONS[kind](pages, shown)
    before = raw(page.draw(shown, size, zoom))
    after = raw(page.draw(other, size, zoom))
    kinds = (kind, "facts", "numbers") if kind == "header" else (kind,)  # which name the minds, too
    rects = [part.rect for part in layout_of(content_of(other), size, zoom).parts if part.kind in kinds]
    assert page.dirty
    assert set(page.dirty) <= set(rects)
    differs = before != after
    assert differs.any()
    for x, y, w, h in page.dirty:
        differs[y : y + h, x : x + w] = False
    assert not differs.any()


def test_what_is_shown_again_is_not_drawn_again(pages):
    page = Page()
    page.draw(pages.live(), (1280, 800))
    assert page.dirty == [(0, 0, 1280, 800)]
    page.draw(pages.live(), (1280, 800))  # equal, and all of it made anew
    assert page.dirty == []
    page.draw(pages.live(), (1280, 801))
    assert page.dirty == [(0, 0, 1280, 801)]
    page.draw(pages.live(), (1280, 801), 1.25)
    assert page.dirty == [(0, 0, 1280, 801)]
    page.draw(pages.live(help=True), (1280, 801), 1.25)
    assert page.dirty == [(0, 0, 1280, 801)]
    page.draw(pages.live(help=True), (1280, 801), 1.25)
    assert page.dirty == []


def test_a_step_of_the_player_touches_two_cells_and_nothing_else(pages):
    page, shown = Page(), pages.live()
    board = shown.boards[0]._replace(trail=())
    page.draw(shown._replace(boards=(board,)), (1280, 800))
    state = board.state._replace(cell=board.state.cell + 1)
    page.draw(shown._replace(boards=(board._replace(state=state),)), (1280, 800))
    tile = next(part.tile for part in layout_of(content_of(shown), (1280, 800), 1.0).parts if part.kind == "board")
    assert [rect[2:] for rect in page.dirty] == [(tile, tile)] * 2


def test_drawing_what_changed_gives_the_same_picture_as_drawing_all(pages, raw):
    """A long random sequence of changes, each compared with a page drawn from nothing; and all changes are reported."""
    random = np.random.default_rng(0)
    level, small = Level.load("dense"), pages.room(7, 9)
    walled = level.replace(map=(level.map[0], "#P# $ $@ $  $ @$  $#", *level.map[2:]))
    sizes = [((820, 620), 1.0)] * 8 + [((700, 560), 1.0), ((1250, 700), 1.0)]
    places = [None, (60, 80), (60, 82), (300, 30), (100, 560), (400, 300), (340, 545)]
    page, shown, last, size, zoom = Page(), pages.live(), None, (820, 620), 1.0
    for number in range(60):
        board = shown.boards[0]
        what = int(random.integers(12))
        if what == 0:
            floor = board.level.floor
            board = board._replace(state=pages.state_of(board.level, int(random.integers(50))))
            board = board._replace(state=board.state._replace(cell=int(random.choice(floor))))
        elif what == 1:
            kind = str(random.choice(["V", "Q", "difference"]))
            board = board._replace(map=pages.map_of(board.level, int(random.integers(9)), kind))
        elif what == 2:
            board = board._replace(map=None, note="No truth: this level is too large." if number % 2 else "")
        elif what == 3:
            new = (level, walled, small)[int(random.integers(3))]
            board = pages.live(new, minds=1).boards[0]
        elif what == 4:
            board = board._replace(cursor=int(random.choice(board.level.floor)), unreachable=frozenset({22, 23}))
        elif what == 5:
            board = board._replace(trail=pages.trail_to(board.level, int(random.choice(board.level.floor))))
        elif what == 6:
            shown = shown._replace(plots=pages.plots(1, int(random.integers(2, 900))))
        elif what == 7:
            shown = shown._replace(facts=() if number % 2 else (pages.facts(bool(number % 3), number),))
        elif what == 8:
            chosen = [str(random.choice([button.name for button in shown.buttons])) for _ in range(4)]
            shown = shown._replace(buttons=pages.buttons(chosen[:2], chosen[2:]), selected=chosen[0])
        elif what == 9:
            shown = shown._replace(message="" if number % 2 else "Saved.", status=f"{number} steps")
        elif what == 10:
            shown = shown._replace(timeline=Timeline((0, number), 60, number if number % 2 else None))
        else:
            size, zoom = sizes[int(random.integers(len(sizes)))]
        shown = shown._replace(boards=(board,), help=bool(random.random() < 0.05))
        pointer = places[int(random.integers(len(places)))]
        drawn = raw(page.draw(shown, size, zoom, pointer))
        assert np.array_equal(drawn, raw(Page().draw(shown, size, zoom, pointer))), number
        if last is not None and last.shape == drawn.shape:
            differs = last != drawn
            for x, y, w, h in page.dirty:
                differs[y : y + h, x : x + w] = False
            assert not differs.any(), number
        last = drawn


def test_a_control_under_the_pointer_is_lit_and_explained(pages, raw, texts):
    shown, size = pages.live(), (1280, 800)
    part = next(part for part in layout_of(content_of(shown), size, 1.0).parts if part.name == "undo")
    x, y, w, h = part.rect
    page = Page()
    plain = raw(page.draw(shown, size))
    texts.clear()
    lit = raw(page.draw(shown, size, 1.0, (x + w // 2, y + h // 2)))
    assert "Take the last stroke back." in texts
    assert (plain[y : y + h, x : x + w] != lit[y : y + h, x : x + w]).any()
    again = raw(page.draw(shown, size))
    assert np.array_equal(again, plain)
    texts.clear()
    part = next(part for part in layout_of(content_of(shown), size, 1.0).parts if part.name == "branch")
    page.draw(shown, size, 1.0, (part.rect[0] + 4, part.rect[1] + 4))
    assert "Not now: look at the present first." in texts


def test_notes_stay_within_the_window(pages):
    shown, page = pages.live(), Page()
    for size in ((640, 480), (1280, 800)):
        for part in layout_of(content_of(shown), size, 1.0).parts:
            if part.kind in ("button", "slider"):
                page.draw(shown, size, 1.0, (part.rect[0] + 2, part.rect[1] + 2))
                assert all(inside(rect, (0, 0, *size)) for rect in page.dirty)


@pytest.mark.parametrize("size", [(1, 1), (40, 30), (200, 150), (320, 240)])
def test_a_window_far_too_small_is_drawn_all_the_same(pages, size):
    for shown in contents(pages):
        assert Page().draw(shown, size, 1.0, (0, 0)).get_size() == size
        assert Page().draw(shown._replace(help=True), size, 2.0).get_size() == size


def test_a_level_larger_than_the_window_is_seen_in_part(pages):
    level = pages.room(40, 200)
    shown = pages.bare(level)
    page = Page()
    page.draw(shown, (150, 120))
    assert page.hit(shown, (150, 120), 1.0, (75, 40)).kind in ("cell", "")


def test_buttons_of_the_same_name_as_a_slider_are_told_apart(pages):
    shown = Shown(
        pages.bare().boards,
        buttons=(Button("slip", "slip", "i", "Let it slip.", "agent"),),
        sliders=(Slider("slip", "how often", "0.1", 0.1, "How often it slips.", "agent"),),
    )
    kinds = set()
    for y in range(0, 600, 4):
        hit = Page().hit(shown, (800, 600), 1.0, (40, y))
        kinds |= {hit.kind} if hit.name == "slip" else set()
    assert kinds == {"button", "slider"}
