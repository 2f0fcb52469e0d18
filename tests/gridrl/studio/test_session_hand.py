"""The brush and the cursor."""

import pytest

from gridrl.studio.painting.hand import Hand, state_in
from gridrl_envs.dynamics import State
from gridrl_envs.level import Level

ROOM = Level.from_string("########\n#P    $#\n#      #\n#     @#\n########", "room")


def drawn(hand: Hand) -> str:
    return "\n".join(hand.sketch.rows)


def test_a_stroke_covers_what_the_pointer_passed_over_and_is_undone_at_once() -> None:
    hand = Hand(ROOM)
    hand.take("wall")
    hand.begin(8 * 2 + 1)
    hand.draw_on(8 * 2 + 5)  # a fast pointer leaves cells out
    assert hand.painting
    hand.lift()
    assert drawn(hand) == "########\n#P    $#\n##### ##\n#     @#\n########".replace("##### ##", "###### #")
    assert hand.sketch.undo()
    assert hand.sketch.rows == ROOM.map


def test_a_stroke_that_begins_with_nothing_new_is_not_undone_with_the_one_before() -> None:
    hand = Hand(ROOM)
    hand.take("wall")
    hand.begin(8 + 3)
    hand.lift()
    hand.begin(8 + 3)  # it is a wall already
    hand.draw_on(8 + 4)
    hand.lift()
    hand.sketch.undo()
    assert hand.sketch.rows[1] == "#P #  $#"


def test_the_patroller_brush_turns_when_it_is_taken_again() -> None:
    hand = Hand(ROOM)
    hand.take("patroller")
    headings = []
    for _ in range(5):
        headings.append(hand.glyph)
        hand.take("patroller")
    assert headings == [">", "v", "<", "^", ">"]
    hand.take("wall")
    hand.take("wall")
    assert hand.brush == ""


def test_the_cursor_begins_at_the_start_and_stays_on_the_map() -> None:
    hand = Hand(ROOM)
    hand.move("right")
    assert hand.cursor == ROOM.starts[0]
    for direction, count, cell in [("right", 1, 10), ("down", 1, 18), ("left", 9, 16), ("up", 9, 0), ("right", 99, 7)]:
        for _ in range(count):
            hand.move(direction)
        assert hand.cursor == cell


def test_another_level_ends_a_stroke_and_what_could_be_undone() -> None:
    hand = Hand(ROOM)
    hand.take("coin")
    hand.begin(10)
    hand.cursor = 39
    hand.follow(Level.from_string("####\n#P$#\n####"))
    assert not hand.painting
    assert not hand.sketch.can_undo
    assert hand.cursor is None


def test_the_level_as_drawn_is_the_worlds_own_until_it_is_painted_on() -> None:
    hand = Hand(ROOM)
    assert hand.drawn(ROOM) is ROOM
    hand.take("wall")
    hand.begin(11)
    assert hand.drawn(ROOM).map == hand.sketch.rows
    assert hand.drawn(ROOM) is hand.drawn(ROOM)  # so that nothing is drawn again


@pytest.mark.parametrize(
    ("painted", "items"),
    [
        ("########\n#P $  $#\n#      #\n#     @#\n########", (True, False, True)),  # a new coin lies there
        ("########\n#P     #\n#      #\n#     @#\n########", (True,)),
        ("########\n#P@   $#\n#      #\n#     @#\n########", (False, True, True)),
    ],
)
def test_what_is_left_of_an_episode_is_shown_in_what_is_painted(painted: str, items: tuple[bool, ...]) -> None:
    state = State(cell=9, step=4, items=(False, True))  # the coin is gone, the poison is not
    level = Level.from_string(painted.replace("P     #", "P    G#"))
    assert state_in(state, ROOM, level) == State(9, 4, items)
