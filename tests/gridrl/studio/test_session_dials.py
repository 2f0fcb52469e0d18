"""Sliders: places along a line and numbers."""

import pytest

from gridrl.studio.live.dials import DIALS, Dial

PLACES = [k / 40 for k in range(41)]


@pytest.mark.parametrize("dial", DIALS, ids=lambda dial: dial.name)
def test_places_and_numbers_go_up_together_and_back(dial: Dial) -> None:
    numbers = [dial.along.number(place) for place in PLACES]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) > 30
    assert dial.along.place(numbers[0]) == 0
    assert dial.along.place(numbers[-1]) == pytest.approx(1, abs=1e-6)
    for place, number in zip(PLACES, numbers, strict=True):
        # A number is rounded, but leads to itself again.
        assert dial.along.number(dial.along.place(number)) == pytest.approx(number, rel=1e-9)
        assert dial.along.place(number) == pytest.approx(place, abs=0.08)


@pytest.mark.parametrize("dial", DIALS, ids=lambda dial: dial.name)
def test_numbers_beyond_the_line_stand_at_its_end(dial: Dial) -> None:
    low, high = dial.along.number(0.0), dial.along.number(1.0)
    assert dial.along.place(low - 1) == 0
    assert dial.along.place(high * 10 + 1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("value", "text"), [(0.05, "0.05"), (0.1, "0.1"), (0.99, "0.99"), (0.001, "0.001"), (500.0, "500"), (0.0, "0")]
)
def test_numbers_read_well(value: float, text: str) -> None:
    assert DIALS[0].text(value) == text
