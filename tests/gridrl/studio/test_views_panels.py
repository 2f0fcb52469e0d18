"""What the panels say and draw, each against its own oracle."""

from importlib.resources import files

import numpy as np
import pytest

from gridrl.studio.shown import BatchRow, Facts, Line, Plot, Scale, Timeline
from gridrl.studio.views import batch, controls, facts, header, numbers, plots, shapes, text, timeline
from gridrl.studio.views.canvas import Canvas
from gridrl.studio.views.page import Page
from gridrl.studio.views.parts import fitted, same


def canvas(width, height, zoom=1.0):
    return Canvas(shapes.opaque((width, height)), zoom)


def of_colour(pixels, surface, colour, close=2):
    """Where pixels have a colour: y and x."""
    return np.nonzero(np.abs(pixels(surface) - np.array(colour)).max(axis=2) <= close)


def test_the_page_says_all_that_it_is_given(pages, texts):
    shown = pages.live(minds=2, message="Saved as dense-1.toml.")
    Page().draw(shown, (1920, 1080))
    for board in shown.boards:
        assert board.title in texts
        assert board.map.name in texts
    for button in shown.buttons:
        if not button.name.startswith("paint-"):
            assert button.label in texts
            assert text.key_cap(button.key) in texts
    for slider in shown.sliders:
        assert {slider.label, slider.text} <= set(texts)
    for row in shown.numbers:
        assert set(row) <= set(texts)
    for plot in shown.plots:
        assert {plot.title, *(line.label for line in plot.lines)} <= set(texts)
    assert {shown.status, shown.message, "step 118,420", shown.facts[0].title} <= set(texts)


def test_texts_that_do_not_fit_end_with_an_ellipsis():
    line = "A sentence that is much too long for its place"
    for room in range(0, 300, 7):
        cut = text.shortened(line, 13, room)
        assert text.width(cut, 13) <= max(room, 0)
        ellipsis = "\N{HORIZONTAL ELLIPSIS}"
        whole = [line] if text.width(line, 13) <= room else []
        beginnings = whole or [line[:end].rstrip() + ellipsis for end in range(len(line), 0, -1)]
        assert cut == next((each for each in beginnings if text.width(each, 13) <= room), "")
    assert text.shortened(line, 13, 10_000) == line


def test_wrapped_text_keeps_its_words():
    line = "Go on from the moment that is looked at; the later ones are forgotten."
    for room in (90, 150, 400):
        lines = text.wrapped(line, 12, room)
        assert " ".join(lines) == line
        assert all(text.width(each, 12) <= room for each in lines)
    short = text.wrapped(line, 12, 90, 2)
    assert len(short) == 2
    assert short[1].endswith("\N{HORIZONTAL ELLIPSIS}")


@pytest.mark.parametrize(
    ("key", "cap"),
    [
        ("space", "Space"),
        ("v", "V"),
        ("f5", "F5"),
        ("left", "\N{LEFTWARDS ARROW}"),
        ("page up", "PgUp"),
        ("ctrl +", "Ctrl +"),
        ("ctrl s", "Ctrl S"),
        ("?", "?"),
        ("", ""),
    ],
)
def test_a_key_is_named_as_on_a_keyboard(key, cap):
    assert text.key_cap(key) == cap


@pytest.mark.parametrize("value", [0.0, 0.5, -0.125, 3.14159, 98.76, -432.1, 0.00042, 3e-7, 118420.0, 2.5e6, -7e9])
def test_a_number_is_written_close_to_what_it_is(value):
    written = text.number(value).replace(",", "").replace("\N{MINUS SIGN}", "-")
    factor = {"M": 1e6, "G": 1e9}.get(written[-1:], 1.0)
    assert float(written.rstrip("MG")) * factor == pytest.approx(value, rel=0.045)
    assert text.number(float("nan")) == "\N{EN DASH}"
    assert text.number(float("-inf")) == "\N{MINUS SIGN}\N{INFINITY}"


def test_the_fonts_are_small_licensed_and_have_figures_of_one_width():
    folder = files("gridrl.studio") / "fonts"
    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text()
    for bold in (False, True):
        name = f"Inter-{'SemiBold' if bold else 'Regular'}.otf"
        assert len((folder / name).read_bytes()) < 120_000
        for px in (10, 13, 26):
            assert len({text.width(digit * 8, px, bold) for digit in "0123456789"}) == 1
        letters = "\N{GREEK SMALL LETTER PI}\N{MINUS SIGN}\N{MIDDLE DOT}\N{HORIZONTAL ELLIPSIS}\N{MULTIPLICATION SIGN}"
        letters += "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{THIN SPACE}\N{RIGHTWARDS ARROW}äéß"
        box = text.picture("\N{SNOWMAN}", 20, (0, 0, 0), bold).get_buffer().raw  # what stands for a missing letter
        for letter in letters:
            assert text.picture(letter, 20, (0, 0, 0), bold).get_buffer().raw != box


def test_type_is_set_at_its_true_size_on_a_dense_display():
    one, two = text.picture("Value", 13, (0, 0, 0)), text.picture("Value", 26, (0, 0, 0))
    assert two.get_width() == pytest.approx(2 * one.get_width(), abs=3)
    assert canvas(10, 10, 2.0).type_px(13) == 26


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 17), (400, 433), (0, 118_420), (-1e-3, 2e-3), (0.05, 1)])
def test_ticks_are_few_round_and_within(low, high):
    for most in (2, 3, 5, 8):
        found = plots.ticks(low, high, most)
        assert 1 <= len(found) <= most
        assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
        if len(found) > 1:
            step = found[1] - found[0]
            assert np.allclose(np.diff(found), step)
            leading = step / 10 ** np.floor(np.log10(step) + 1e-9)
            assert np.isclose(leading, [1, 2, 5, 10]).any()
            assert np.allclose(np.array(found) / step, np.rint(np.array(found) / step), atol=1e-6)
    assert plots.ticks(5, 5, 4) == [5]
    assert [plots.short(value) for value in (20_000, 1500, -0.5, 0, 2e6)] == [
        "20k",
        "1500",
        "\N{MINUS SIGN}0.5",
        "0",
        "2M",
    ]


def test_dense_lines_are_gathered_by_columns():
    random = np.random.default_rng(0)
    steps = np.cumsum(random.integers(1, 9, 5000)).astype(float)
    values = random.normal(size=5000)
    values[random.random(5000) < 0.1] = np.nan
    dense = plots.gathered(steps, values, 40)
    known = np.isfinite(values)
    first, last = steps[known][0], steps[known][-1]
    column = np.minimum((steps - first) * 40 / (last - first), 39).astype(int)
    for number in range(40):
        here = values[(column == number) & known]
        assert dense.mean[number] == pytest.approx(here.mean())
        assert (dense.low[number], dense.high[number]) == (here.min(), here.max())


BLUE, ORANGE = (0, 114, 178), (213, 94, 0)


@pytest.mark.parametrize("count", [2, 50, 6000])
def test_a_line_that_grows_rises_to_the_right(pixels, count):
    steps = np.arange(count, dtype=float)
    paper = canvas(300, 160)
    plots.draw(paper, Plot("Return", (Line("agent", steps, steps * 2, BLUE),)))
    y, x = of_colour(pixels, paper.surface, BLUE, 12)
    assert x.max() - x.min() > 180
    assert y[x < x.min() + 10].mean() > y[x > x.max() - 10].mean() + 60
    middle = y[np.abs(x - (x.min() + x.max()) / 2) < 4].mean()
    assert middle == pytest.approx((y.min() + y.max()) / 2, abs=6)


def test_lines_share_a_scale_and_gaps_stay_open(pixels):
    steps = np.arange(40.0)
    gap = np.where((steps > 15) & (steps < 25), np.nan, 1.0)
    paper = canvas(300, 160)
    plots.draw(paper, Plot("Loss", (Line("one", steps, gap, BLUE), Line("other", steps, np.full(40, 3.0), ORANGE))))
    below, above = of_colour(pixels, paper.surface, BLUE, 12), of_colour(pixels, paper.surface, ORANGE, 12)
    plotted = below[0] > 60  # the legend stands above
    assert below[0][plotted].min() > np.median(above[0]) + 40
    x = np.unique(below[1][plotted])
    assert np.diff(x).max() > 40
    assert np.diff(np.unique(above[1])).max() <= 20  # only the step from the legend to the line


def test_the_truth_is_dashed(pixels):
    steps = np.array([0.0, 1000.0])
    paper = canvas(300, 160)
    line = Line("true", steps, np.array([4.0, 4.0]), (17, 17, 17), dashed=True)
    plots.draw(paper, Plot("Max Q", (line,)))
    found = pixels(paper.surface)[40:130, 60:280].sum(axis=2) < 200
    row = found[found.sum(axis=1).argmax()]
    pieces = (np.diff(row.astype(int)) == 1).sum()
    assert pieces > 12
    assert 0.3 < row.mean() < 0.8


def test_a_plot_without_values_says_so(texts):
    plots.draw(canvas(300, 160), Plot("Loss", (Line("agent", np.arange(3.0), np.full(3, np.nan), BLUE),)))
    plots.draw(canvas(300, 160), Plot("Loss", (Line("agent", np.empty(0), np.empty(0), BLUE),)))
    assert texts.count(plots.NOTHING_YET) == 2


def test_bars_are_as_long_as_values_and_the_truth_is_marked(pixels):
    q, truth = np.array([10.0, 40.0, 20.0, 0.0]), np.array([40.0, 10.0, 20.0, 0.0])
    paper = canvas(300, 200)
    facts.draw(paper, facts.CellFacts("", Facts("row 1, column 1: floor", q=q, truth=truth, truth_name="Q*")))
    shot = pixels(paper.surface)

    def longest(colours):
        lengths = {}
        for y in range(52, 190):
            run = np.zeros(300, bool)
            for colour in colours:
                run |= np.abs(shot[y] - np.array(colour)).max(axis=1) <= 2
            if run.sum() > 10:
                lengths[y] = int(run.sum())
        return lengths

    lengths = longest(((91, 151, 201), (0, 104, 168)))
    bars, last = [], None
    for y, length in lengths.items():
        if last is None or y > last + 1:
            bars.append(length)
        last = y
    assert len(bars) == 3  # nothing is seen of 0
    assert bars[1] > bars[2] > bars[0]
    assert bars[1] / bars[2] == pytest.approx(2, rel=0.12)
    y, x = of_colour(pixels, paper.surface, (17, 17, 17))
    marks = [x[np.abs(y - at) < 6].max() for at in np.unique(y[y > 60])[[3, -4]]]
    assert marks[0] > marks[1]  # the truth of up is far right, that of right is at zero


def test_the_histogram_holds_all_the_probability_and_is_shared_by_the_actions():
    random = np.random.default_rng(2)
    returns = np.linspace(-10, 10, 51)[None].repeat(4, axis=0)
    probability = random.dirichlet(np.ones(51), 4)
    for action in range(4):
        begin, end, heights = facts.histogram(returns, probability, action, 20)
        assert -10 <= begin < end <= 10
        assert heights.sum() == pytest.approx(probability[action].sum(), abs=0.02)
    begin, end, heights = facts.histogram(np.full((4, 7), 3.0), None, 0, 10)
    assert begin < 3 < end
    assert heights.sum() == pytest.approx(1)
    # All the weight of one action lies in the upper half.
    returns = np.array([[0.0, 1.0], [9.0, 10.0], [0.0, 1.0], [0.0, 1.0]])
    _, _, heights = facts.histogram(returns, None, 1, 10)
    assert heights[5:].sum() == pytest.approx(1)


@pytest.mark.parametrize("has_returns", [False, True])
def test_a_panel_of_facts_names_its_action_and_its_truth(pages, texts, has_returns):
    facts.draw(canvas(284, 232), facts.CellFacts("Double DQN", pages.facts(has_returns)))
    assert {"row 6, column 12: a coin", "Q*", "212", "305", "\N{MINUS SIGN}31.5", "262"} <= set(texts)
    assert any("Double DQN" in line and "1,348" in line for line in texts)
    assert any(line.endswith("of right") for line in texts) == has_returns


def test_facts_that_are_not_there_are_explained(texts):
    facts.draw(canvas(400, 232), facts.CellFacts("", None))
    facts.draw(canvas(400, 232), facts.CellFacts("", Facts("row 1, column 1: a wall")))
    assert facts.POINT_AT_A_CELL in texts
    assert facts.NO_VALUES in texts


def test_numbers_stand_right_aligned_under_their_minds(pixels, texts):
    paper = canvas(284, numbers.height(2))
    numbers.draw(paper, numbers.Table((("steps", "118 420", "7"), ("return", "3.5", "")), ("DQN", "Double DQN")))
    assert {"steps", "118 420", "7", "DQN", "Double DQN", "3.5"} <= set(texts)
    dark = (np.abs(pixels(paper.surface) - np.array((31, 41, 55))).max(axis=2) < 60) & (np.arange(284) > 120)
    rows = [dark[numbers.TOP + 20 * number + 4 : numbers.TOP + 20 * number + 16] for number in (0, 1)]
    ends = [np.flatnonzero(row[:, :230].any(axis=0)).max() for row in rows]
    assert abs(ends[0] - ends[1]) <= 2


def test_a_batch_says_where_from_where_to_and_for_what(texts):
    rows = (BatchRow(25, 3, 100.0, 26, False, 0.5), BatchRow(26, 0, -100.0, 6, True, 1.0))
    batch.draw(canvas(284, 200), batch.Batch(rows, 20))
    assert {"2, 6", "2, 7", "+100", "\N{MINUS SIGN}100", "end", "2 of 2"} <= set(texts)
    assert "1, 7" not in texts  # the episode ended there
    texts.clear()
    batch.draw(canvas(284, batch.TOP + 2 * batch.ROW + 8), batch.Batch(rows * 4, 20))
    assert "2 of 8" in texts


def test_the_nearest_moment_is_meant():
    kept = Timeline((0, 1000, 2000, 9000), 10_000)
    assert timeline.moment_at(kept, 0.0) == 0
    assert timeline.moment_at(kept, 0.14) == 1000
    assert timeline.moment_at(kept, 0.16) == 2000
    assert timeline.moment_at(kept, 0.93) == 9000
    assert timeline.moment_at(kept, 0.96) is None
    assert timeline.moment_at(kept, 1.0) is None
    assert timeline.moment_at(Timeline((), 0), 0.5) is None
    for step in kept.steps:
        assert timeline.moment_at(kept, timeline.position_of(kept, step)) == step


def test_a_header_says_what_the_colours_stand_for(texts):
    header.draw(canvas(700, header.LINE), header.Header("DQN", "V: what is expected", Scale(-50.0, 430.0), ""))
    assert texts == ["DQN", "V: what is expected", "\N{MINUS SIGN}50.0", "430"]
    texts.clear()
    header.draw(canvas(300, header.TWO_LINES), header.Header("DQN", "bias", Scale(-5.0, 60.0, True), ""))
    assert {"\N{MINUS SIGN}60.0", "60.0"} <= set(texts)  # zero lies in the middle
    texts.clear()
    header.draw(canvas(700, header.LINE), header.Header("DQN", "", None, "No truth: this level is too large."))
    assert "No truth: this level is too large." in texts


def test_a_button_looks_on_off_and_shut(pages, pixels):
    button = pages.buttons(on=(), shut=())[0]

    def look(**changes):
        paper = canvas(110, 28)
        own = {name: value for name, value in changes.items() if name in ("on", "why_not")}
        rest = {"hovered": False, "selected": False} | {k: v for k, v in changes.items() if k not in own}
        controls.draw_button(
            paper, controls.ButtonLook(button._replace(**own), with_key=True, as_icon=False, behind=(9, 9, 9), **rest)
        )
        return pixels(paper.surface)

    off, on, shut = look(), look(on=True), look(why_not="Not now.")
    assert off[5, 50].min() > 240
    assert on[5, 50].max() < 200  # dark, its label light
    assert on.max() > 240
    assert shut[8:20, 8:60].min() > off[8:20, 8:60].min() + 60  # a paler label
    for changes in ({"hovered": True}, {"selected": True}):
        assert not np.array_equal(look(**changes), off)
    assert off[0, 0].tolist() == [9, 9, 9]  # round corners show what lies behind


def test_the_help_names_every_control_and_every_sprite(pages, texts):
    shown = pages.live(help=True)
    for size in ((1280, 800), (800, 600), (640, 480)):
        texts.clear()
        Page().draw(shown, size)
        assert {button.label for button in shown.buttons} <= set(texts)
        assert {text.key_cap(button.key) for button in shown.buttons} <= set(texts)
        assert {slider.label for slider in shown.sliders} <= set(texts)
        assert {"player", "start", "coin", "poison", "goal", "pit", "patroller", "wall"} <= set(texts)
    Page().draw(shown, (1280, 800))
    assert "Return to the present." in texts


def test_widths_that_are_fitted_fill_the_room():
    assert fitted([10, 20, 30], 60) == [10, 20, 30]
    assert fitted([10, 20, 90], 60) == [10, 20, 30]
    assert fitted([50, 50], 60) == [30, 30]
    assert fitted([], 60) == []


def test_values_are_the_same_where_they_would_be_drawn_alike(pages):
    assert same(pages.live(), pages.live())
    assert not same(pages.live(), pages.live(kind="Q"))
    assert same((np.array([np.nan, 1.0]),), (np.array([np.nan, 1.0]),))
    assert not same((np.array([1.0]),), (np.array([1.0, 1.0]),))
    assert not same((1,), (1, 2))
    assert not same("1", 1)
