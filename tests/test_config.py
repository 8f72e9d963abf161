"""Profiles and overrides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from repro.config import Profile, load_profile, parse_overrides, profile_names
from repro.errors import UserError
from repro.motion.settings import MotionSettings


def test_there_are_the_four_profiles():
    assert profile_names() == ("demo", "gpu", "paper", "smoke")


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_is_valid_and_knows_its_name(name):
    assert load_profile(name).name == name


def test_the_paper_profile_keeps_the_paper_s_numbers():
    profile = load_profile("paper")
    assert profile.motion == MotionSettings()
    assert (profile.motion.lambda_pose, profile.motion.lambda_continuity) == (0.2, 0.01)
    assert (profile.refine.lambda_l1, profile.refine.lambda_attention) == (100.0, 2.0)
    assert profile.refine_general.lambda_attention == 0.1
    assert profile.refine.memory_slots == profile.refine_general.memory_slots == 30_000
    assert profile.talk.frames == 300


def test_an_override_changes_one_setting_and_no_other():
    plain, changed = load_profile("demo"), load_profile("demo", {"refine.steps": 7})
    assert changed.refine.steps == 7
    assert changed.refine.model_copy(update={"steps": plain.refine.steps}) == plain.refine
    assert changed.motion == plain.motion


def test_general_refining_follows_what_it_does_not_say_itself():
    profile = load_profile("demo", {"refine.ngf": 24})
    assert profile.refine_general.ngf == 24
    assert profile.refine_general.steps != profile.refine.steps


def test_a_profile_survives_its_own_dump():
    profile = load_profile("demo")
    assert Profile.model_validate(profile.model_dump(mode="json")) == profile


def test_profiles_cannot_be_changed():
    with pytest.raises(ValidationError):
        load_profile("smoke").name = "other"


def test_a_profile_of_one_s_own_is_read_from_its_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[talk]\nframes = 123\n")
    profile = load_profile(str(path))
    assert (profile.name, profile.talk.frames) == ("mine", 123)


@pytest.mark.parametrize(
    ("name", "overrides", "says"),
    [
        ("dmeo", {}, ["dmeo", "demo, gpu, paper, smoke"]),
        ("nowhere.toml", {}, ["nowhere.toml"]),
        ("smoke", {"refine.stepz": 3}, ["'stepz'", "[refine]", "did you mean 'steps'", "ngf"]),
        ("smoke", {"refine.steps": "many"}, ["refine.steps", "'many'", "integer"]),
        ("smoke", {"motion.batch": 0}, ["motion.batch", "0", "greater than or equal to 1"]),
        (
            "smoke",
            {"refin.steps": 3},
            ["refin.steps", "reconstruct_network, motion"],
        ),
        ("smoke", {"steps": 3}, ["SECTION.SETTING"]),
        ("smoke", {"refine.levels": 9}, ["[refine]", "cannot be halved 9 times"]),
        ("smoke", {"refine_general.ngf": 9}, ["refine_general", "agree in ngf"]),
        ("smoke", {"corpus.people": 1}, ["corpus.people", "1"]),
    ],
)
def test_a_bad_name_key_or_value_is_named(name, overrides, says):
    with pytest.raises(UserError) as caught:
        load_profile(name, overrides)
    for words in says:
        assert words in str(caught.value)


def test_a_broken_toml_file_is_named(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[talk\n")
    with pytest.raises(UserError, match=r"broken\.toml.*not valid TOML"):
        load_profile(str(path))


def test_override_texts_are_toml_values_or_plain_words():
    assert parse_overrides(["refine.steps=100", "refine.lr=1e-4", "refine.use_memory=false"]) == {
        "refine.steps": 100,
        "refine.lr": 1e-4,
        "refine.use_memory": False,
    }
    assert parse_overrides(["refine.precision=bf16"]) == {"refine.precision": "bf16"}
    with pytest.raises(UserError, match=r"refine\.steps=100"):
        parse_overrides(["refine.steps"])


@given(st.integers(min_value=1, max_value=10**6))
def test_any_whole_number_comes_through_as_itself(steps):
    assert load_profile("smoke", parse_overrides([f"refine.steps={steps}"])).refine.steps == steps
