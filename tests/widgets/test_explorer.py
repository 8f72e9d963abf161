import base64

import cv2
import numpy as np
import pytest

from repro.face.model import load_open_model
from repro.render.view import STUDIO
from repro.widgets import coefficient_explorer
from repro.widgets.explorer import PAGE
from repro.widgets.slots import groups, search, slots


@pytest.fixture(scope="module")
def model():
    return load_open_model()


@pytest.fixture
def explorer(model):
    return coefficient_explorer(model, size_px=96)


def picture(explorer):
    return cv2.imdecode(np.frombuffer(explorer.image.value, np.uint8), cv2.IMREAD_COLOR)


def test_every_coefficient_has_one_slot_in_its_place(model):
    known = slots(model)
    assert [slot.index for slot in known] == list(range(257))
    assert len({slot.name for slot in known}) == 257
    assert known[224].name == "pitch" and known[256].name == "forward"
    assert sum(len(members) for members in groups(known).values()) == 257


def test_actions_belong_to_their_region_of_the_face(model):
    by_name = {slot.name: slot for slot in slots(model)}
    assert by_name["jawOpen"].group == "expression: jaw"
    assert by_name["mouthSmileLeft"].group == "expression: mouth"
    assert by_name["eyeBlinkLeft"].high == 1
    assert by_name["corrective01"].unit == "sd"


def test_a_search_needs_all_words_in_any_case(model):
    names = {slot.name for slot in search(slots(model), "SMILE left")}
    assert names == {"mouthSmileLeft"}


def test_only_a_page_of_sliders_exists(explorer):
    assert len(explorer.sliders.children) == PAGE
    explorer.page.value = 6
    assert explorer.sliders.children[0].description == f"identity {5 * PAGE + 1} (sd)"
    explorer.words.value = "yaw"
    assert explorer.page.value == 1
    assert len(explorer.sliders.children) == 1


def test_a_slider_moves_its_coefficient_and_the_picture(explorer):
    before = picture(explorer)
    explorer.words.value = "yaw"
    explorer.sliders.children[0].value = 30
    assert explorer.values[225] == pytest.approx(np.radians(30))
    assert (picture(explorer) != before).any()


def test_reset_brings_back_values_sliders_and_picture(explorer):
    before = picture(explorer)
    explorer.group.value = "expression: jaw"
    explorer.set({"jawOpen": 0.7, "texture 01": 2})
    shown = {s.description: s.value for s in explorer.sliders.children}
    assert shown["jawOpen"] == pytest.approx(0.7)
    explorer.reset_button.click()
    assert not explorer.values[80:144].any()
    assert not any(s.value for s in explorer.sliders.children)
    assert (picture(explorer) == before).all()


def test_the_mean_face_starts_in_studio_light(explorer):
    np.testing.assert_array_equal(explorer.values[227:254], STUDIO)


def test_a_look_moves_nothing(explorer):
    before = explorer.values.copy()
    assert (explorer.look({"yaw": 20}) != explorer.look({})).any()
    np.testing.assert_array_equal(explorer.values, before)


def test_an_unknown_name_is_named(explorer):
    with pytest.raises(KeyError, match="jawOpened"):
        explorer.set({"jawOpened": 1})


def test_the_frame_slider_moves_the_face_but_keeps_the_person(model, made_up_track):
    explorer = coefficient_explorer(model, track=made_up_track, size_px=96)
    jaw = 80 + model.expression_names.index("jawOpen")
    explorer.set({"identity 01": 3})
    explorer.frame.value = len(made_up_track) - 1
    assert explorer.values[jaw] == made_up_track.coefficients.expression[-1, jaw - 80] > 0
    assert explorer.values[0] == 3
    assert not explorer.values[254:].any()


def test_a_page_without_a_front_end_carries_the_picture(explorer):
    bundle = explorer._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == explorer.image.value
