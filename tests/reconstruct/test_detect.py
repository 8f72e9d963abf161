import cv2
import numpy as np
import pytest

from repro.errors import UserError
from repro.face.camera import Crop
from repro.reconstruct.detect import detect, detect_image
from repro.reconstruct.follow import Company, Person, joined
from repro.reconstruct.landmarker import Face
from repro.reconstruct.look import Look, colour_distance, look_of, pattern_likeness

CANVAS = 720, 400


def filmed(*parts, frames=24):
    """Frames in which portraits (portrait, face_px, path) move; later ones stand in front.

    path : frame -> x, y of the portrait's corner
    """
    made = []
    for t in range(frames):
        picture = np.full((CANVAS[1], CANVAS[0], 3), 102, np.uint8)
        for portrait, face_px, path in parts:
            layer, _ = portrait.placed(face_px, path(t), CANVAS)
            shown = np.abs(layer.astype(int) - layer[0, 0]).sum(-1) > 12
            picture[shown] = layer[shown]
        made.append(picture)
    return made


def test_a_clip_without_a_face_is_refused_by_name():
    grey = (np.full((120, 160, 3), 128, np.uint8) for _ in range(3))
    with pytest.raises(UserError, match=r"'empty\.mp4'.*no face in any of 3 frames.*40 px"):
        detect(grey, name="empty.mp4")


def test_a_clip_without_frames_is_refused_by_name():
    with pytest.raises(UserError, match=r"'none\.mp4' has no frames"):
        detect(iter([]), name="none.mp4")


def test_a_picture_without_a_face_has_no_landmarks():
    assert detect_image(np.full((120, 160, 3), 128, np.uint8)) is None


def test_a_still_photo_as_video_does_not_stir(portrait):
    found = detect([portrait.image] * 12, name="still")
    assert found.found.all() and found.people == 1
    assert np.abs(np.diff(found.points, axis=0)).max() < 0.5
    assert found.confidence.min() > 0.8
    assert found.in_picture.all()
    assert portrait.error_percent(found.points[5], portrait.points) < 5


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_a_clip_of_a_few_frames_works(portrait, frames):
    found = detect([portrait.image] * frames, name="short")
    assert found.points.shape == (frames, 478, 2) and found.points.dtype == np.float32
    assert found.confidence.min() > 0.9


def test_a_grey_picture_works(portrait):
    grey = cv2.cvtColor(cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    found = detect([grey] * 3, name="grey")
    assert portrait.error_percent(found.points[0], portrait.points) < 5


def test_a_clip_that_shows_the_face_too_seldom_is_refused_with_the_longest_gap(portrait):
    blank = np.full_like(portrait.image, 90)
    frames = [portrait.image] * 4 + [blank] * 8
    with pytest.raises(UserError, match=r"missing in 8 of 12 frames .*from frame 4, 0\.2 s, to 11"):
        detect(frames, name="seldom.mp4")


def test_a_short_absence_is_bridged_and_a_long_one_is_not(portrait):
    blank = np.full_like(portrait.image, 90)
    frames = [portrait.image] * 6 + [blank] * 4 + [portrait.image] * 6
    frames += [blank] * 30 + [portrait.image] * 6
    found = detect(frames, name="absent", max_missing=0.8)
    gone = np.isin(np.arange(52), np.r_[6:10, 16:46])
    np.testing.assert_array_equal(found.found, ~gone)
    np.testing.assert_array_equal(np.flatnonzero(found.bridged), np.arange(6, 10))
    assert np.isnan(found.raw[gone]).all() and np.isfinite(found.points).all()
    assert (found.confidence[16:46] == 0).all() and found.confidence[46:].min() > 0.5
    assert portrait.error_percent(found.points[8], portrait.points) < 5


def test_who_leaves_the_picture_and_comes_back_is_the_same_person(portrait):
    def path(t):
        away = min(t, 39 - t)
        return 420 + max(0, away - 4) * 36, 60

    found = detect(filmed((portrait, 120, path), frames=40), name="leaves", max_missing=0.8)
    assert found.found[[0, 39]].all() and not found.found[18:22].any()
    there = found.points[found.found].mean(1)
    assert there[-1] == pytest.approx(there[0], abs=6)


def test_the_larger_face_is_followed_and_a_place_chooses_another(portrait, other_portrait):
    frames = filmed(
        (portrait, 110, lambda t: (30, 80)), (other_portrait, 80, lambda t: (430, 80)), frames=8
    )
    main = detect(frames, name="two")
    assert main.people == 2 and main.points[:, :, 0].max() < 360
    other = detect(frames, name="two", place=(600, 200))
    assert other.found.all() and other.points[:, :, 0].min() > 360


def test_two_who_pass_each_other_are_not_confused(portrait, other_portrait):
    frames = filmed(
        (portrait, 100, lambda t: (20 + 14 * t, 70)),
        (other_portrait, 100, lambda t: (430 - 14 * t, 70)),
        frames=30,
    )
    with Company() as company:
        for frame in frames:
            company.step(frame)
    for place, way in (((160, 200), 1), ((570, 200), -1)):
        person = company.choose(place)
        assert person.times[0] == 0 and person.times[-1] == 29
        pace = np.diff([face.centre[0] for face in person.faces]) / np.diff(person.times)
        assert np.abs(pace - way * 14).max() < 14


def test_colours_tell_people_apart_and_patterns_covered_faces(portrait, other_portrait):
    def look(of, image):
        scale = 256 / len(image)
        picture = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
        return look_of(picture, of.points * scale, inside=np.array([[0, 0], [256, 256]]))

    dark = (portrait.image * 0.5).astype(np.uint8)
    covered = portrait.image.copy()
    low, high = portrait.points.min(0).astype(int), portrait.points.max(0).astype(int)
    covered[(low[1] + high[1]) // 2 : high[1], low[0] : high[0]] = (120, 60, 60)
    a, b = look(portrait, portrait.image), look(other_portrait, other_portrait.image)
    assert colour_distance(a.colours, a.colours) == pytest.approx(0, abs=1e-3)
    assert colour_distance(a.colours, b.colours) > 0.45
    assert pattern_likeness(a.pattern, look(portrait, dark).pattern) > 0.98
    assert pattern_likeness(a.pattern, look(portrait, covered).pattern) < 0.75
    blurred = cv2.GaussianBlur(portrait.image, (0, 0), 5)
    assert look(portrait, blurred).sharpness < 0.4 * a.sharpness


def test_people_who_look_alike_and_are_never_together_are_one():
    def person(times, colour):
        one = Person(np.eye(4, dtype=np.float32)[colour], Crop(0, 0, 256, 256))
        for t in times:
            face = Face(np.full((478, 2), t, np.float32), np.zeros(52, np.float32))
            one.add(t, face, Look(one.colours, np.zeros((18, 16), np.uint8), 1.0))
        return one

    first, back, beside, stranger = (
        person(range(5, 10), 0), person(range(0, 3), 0), person(range(8, 12), 0),
        person(range(20, 22), 1),
    )  # fmt: skip
    people = joined([first, back, beside, stranger])
    assert sorted(p.times for p in people) == [[0, 1, 2, 5, 6, 7, 8, 9], [8, 9, 10, 11], [20, 21]]


def test_only_points_and_small_pictures_are_kept(portrait):
    with Company() as company:
        for _ in range(3):
            company.step(portrait.image)
        (person,) = company.people
        kept = sum(a.nbytes for look in person.looks for a in look[:2])
    assert kept < 3 * 1000
