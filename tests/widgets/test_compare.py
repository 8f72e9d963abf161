import base64

import cv2
import numpy as np
import pytest

from repro.widgets.compare import Take, compare

FRAMES = 9
COLOURS = {"a": (250, 0, 0), "b": (0, 250, 0), "c": (0, 0, 250), "d": (90, 90, 90), "e": (9, 9, 9)}


@pytest.fixture
def takes():
    """Each of one colour that grows with time in its first pixel's channel."""
    made = []
    for name, colour in COLOURS.items():
        frames = np.tile(np.uint8(colour), (FRAMES, 20, 20, 1))
        frames += np.arange(FRAMES, dtype=np.uint8)[:, None, None, None] // 2
        made.append(Take(name, frames, {"yaw": np.arange(FRAMES), "gap": np.ones(FRAMES)}))
    return made


def seen(view, place, count):
    """The colour in the middle of a place."""
    picture = cv2.imdecode(np.frombuffer(view.image.value, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    width = picture.shape[1] / count
    return tuple(picture[40, round((place + 0.5) * width)])


def test_four_stand_side_by_side_in_their_order(takes):
    view = compare(takes, side_px=80)
    assert view.shown == ("a", "b", "c", "d")
    assert [seen(view, k, 4) for k in range(4)] == [COLOURS[name] for name in "abcd"]


def test_all_go_to_the_same_moment(takes):
    view = compare(takes, shown=["b", "e"], side_px=80)
    view.frame.value = 8
    assert seen(view, 0, 2) == (4, 254, 4)
    assert seen(view, 1, 2) == (13, 13, 13)


def test_a_place_shows_what_is_chosen_for_it(takes):
    view = compare(takes, shown=["a", "b"], side_px=80)
    view.places[1].value = "c"
    assert view.shown == ("a", "c")
    assert seen(view, 1, 2) == COLOURS["c"]


def test_names_stand_above_the_pictures_in_the_colours_of_their_curves(takes):
    picture = compare(takes, shown=["a", "b"], side_px=200).render()
    orange = (np.abs(picture.astype(int) - (255, 127, 14)).sum(-1) < 30).nonzero()
    above = orange[0] < 20
    assert above.any() and (~above).any()
    assert orange[1][above].min() >= 204


def test_two_become_four_and_two_again(takes):
    view = compare(takes, shown=["a", "b"], side_px=80)
    view.number.value = 4
    assert view.shown == ("a", "b", "c", "d")
    view.number.value = 2
    assert view.shown == ("a", "b")
    assert len(view.chosen.children) == 2


def cursor_columns(view):
    picture = view.render()[80 + 20 :]
    return np.flatnonzero((picture == (200, 30, 30)).all(-1).any(0))


def test_the_cursor_runs_over_the_curves_from_end_to_end(takes):
    view = compare(takes, shown=["a", "b"], side_px=200)
    first = cursor_columns(view)
    view.frame.value = FRAMES // 2
    middle = cursor_columns(view)
    view.frame.value = FRAMES - 1
    last = cursor_columns(view)
    assert first.max() < middle.min() < last.min()
    assert middle.mean() == pytest.approx((first.mean() + last.mean()) / 2, abs=1)


def test_what_does_not_fit_together_is_refused(takes):
    other = Take("small", np.zeros((FRAMES, 8, 8, 3), np.uint8), takes[0].curves)
    with pytest.raises(ValueError, match="'small' has other frames"):
        compare([takes[0], other])
    with pytest.raises(ValueError, match="at least two"):
        compare(takes[:1])
    with pytest.raises(ValueError, match="not 3"):
        compare(takes, shown=["a", "b", "c"])


def test_the_shortest_take_ends_all(takes):
    short = Take("short", takes[0].frames[:4], {k: v[:4] for k, v in takes[0].curves.items()})
    view = compare([*takes, short])
    assert view.frame.max == view.play.max == 3


def test_a_page_without_a_front_end_carries_the_comparison(takes):
    view = compare(takes)
    assert base64.b64decode(view._repr_mimebundle_()["image/png"]) == view.image.value
