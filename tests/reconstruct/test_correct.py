import numpy as np
import pytest
import torch

from repro.face import landmarks as lm
from repro.face.camera import Camera, Crop
from repro.face.landmarks import inter_pupil_distance
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.reconstruct import correct as module
from repro.reconstruct.calibrate import joined, lessons_of, measure
from repro.reconstruct.calibrate_film import film_clips, look_at, recorded
from repro.reconstruct.correct import PATCH_PX, Corrector, Patches, correct, open_corrector
from repro.reconstruct.correct_train import MARGIN_PX, Lessons, train_corrector
from repro.reconstruct.head_frame import head_frame
from repro.reconstruct.landmarker import Searcher
from repro.reconstruct.start import start_pose

CAMERA = Camera(700, 128, 128, 256, 256)
NEW_PERSON = 1_500_000
"""Whom the calibration has not filmed."""


@pytest.fixture(scope="module")
def model():
    return load_open_model()


@pytest.fixture(scope="module")
def filmed(model):
    with Searcher() as searcher:
        return [look_at(NEW_PERSON + k, model, searcher) for k in range(2)]


@pytest.fixture(scope="module")
def clip(model, tmp_path_factory):
    folder, told = tmp_path_factory.mktemp("clips"), []
    (entry,) = film_clips(folder, people=1, workers=1, progress=told.append)
    assert told == [1]
    return recorded(entry, model)


def seen(model, pose):
    return CAMERA.project(apply_pose(model.landmarks(model.mean), pose))


def test_offsets_are_upright_and_come_back_as_pixels(model):
    pose = np.array([[0.1, -0.2, 0.4, 0.02, 0.01, 1.0], [0, 0, -0.3, 0, 0, 1.2]], np.float32)
    points = seen(model, pose)
    frame = head_frame(points, pose, CAMERA, model)
    np.testing.assert_allclose(frame.offsets(points), 0, atol=1e-4)
    right = np.stack([np.cos(pose[:, 2]), np.sin(pose[:, 2])], -1)[:, None]
    moved = frame.offsets(points + 2 * frame.percent * right)
    np.testing.assert_allclose(moved[..., 0], 2, atol=1e-3)
    np.testing.assert_allclose(moved[..., 1], 0, atol=1e-3)
    there = points + np.random.default_rng(0).normal(0, 3, points.shape)
    np.testing.assert_allclose(frame.usual + frame.pixels(frame.offsets(there)), there, atol=1e-3)


def test_a_clip_is_seen_as_reconstruction_sees_it_beside_its_truth(clip, model):
    assert len(clip.pictures) == 12 and clip.lens().focal_px == 3 * 256
    percent = 100 / inter_pupil_distance(clip.true_points)[:, None]
    apart = np.linalg.norm(clip.points - clip.true_points, axis=-1) * percent
    assert np.median(apart[:, model.landmark_valid]) < 6
    truth = clip.truth()
    pose = start_pose(model, clip.true_points, clip.lens())
    shown = clip.lens().project(
        apply_pose(model.landmarks(model.vertices(truth.identity, truth.expression)), pose)
    )
    off = np.linalg.norm(shown - clip.true_points, axis=-1) * percent
    assert np.median(off[:, model.landmark_valid]) < 6  # the pose is that of the mean face


def test_a_patch_shows_the_mouth_upright_however_the_head_is_held(model):
    pose = np.array([[0, 0, 0, 0, 0, 1.0], [0, 0, 0.5, 0.03, -0.02, 0.9]], np.float32)
    points = seen(model, pose)
    frame = head_frame(points, pose, CAMERA, model)
    whole = Crop(0, 0, 256, 256)
    for t in range(2):
        picture = np.zeros((256, 256, 3), np.uint8)
        corners = points[t, [61, 291]]  # of the mouth
        for colour, (x, y) in enumerate(corners):
            ys, xs = np.mgrid[:256, :256] + 0.5
            picture[..., colour] = 255 * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / 8)
        patch = frame.patch(t, picture, whole, lm.LIPS, width=1.6, px=64).astype(float)
        ys, xs = np.mgrid[:64, :64] + 0.5
        found = [
            np.array([(xs * patch[..., c]).sum(), (ys * patch[..., c]).sum()]) / patch[..., c].sum()
            for c in range(2)
        ]
        wanted = frame.offsets(points)[t, [61, 291]] * 64 / 160
        usual = model.landmarks(model.mean)[[61, 291], 0]
        assert np.ptp(usual) > 0 and abs(found[0][1] - found[1][1]) < 0.7  # level
        pixels = np.linalg.norm(corners[0] - corners[1]) / frame.percent * 64 / 160
        assert abs(np.linalg.norm(found[0] - found[1]) - pixels) < 0.5
        np.testing.assert_allclose(wanted, 0, atol=1e-2)


def lessons(model, people, frames=8, seed=0):
    """A fault that only the picture tells: the brighter, the further right the points."""
    rng = np.random.default_rng(seed)
    count, landmarks = people * frames, int(model.landmark_valid.sum())
    bright = rng.uniform(0.2, 0.8, count)
    px = PATCH_PX + 2 * MARGIN_PX
    picture = np.broadcast_to((255 * bright)[:, None, None, None], (count, px, px, 3))
    picture = (picture + rng.normal(0, 3, picture.shape)).clip(0, 255).astype(np.uint8)
    offsets = rng.normal(0, 0.1, (count, landmarks, 2)).astype(np.float32)
    offsets[..., 0] += 20 * (bright - 0.5)[:, None]
    features = rng.normal(0, 1, (count, 2 * landmarks + 51)).astype(np.float32)
    person = np.repeat(np.arange(people), frames)
    return Lessons(Patches(picture, picture), features, offsets, person)


@torch.no_grad()
def offsets_of(corrector, lesson):
    """What is said of the frames of one person."""
    inner = slice(MARGIN_PX, -MARGIN_PX)
    mouth, face = (module.as_tensor(p[:, inner, inner]) for p in lesson.patches)
    looks = corrector.look(mouth, face, torch.from_numpy(lesson.seen))
    return corrector(looks, looks.mean(0, keepdim=True)).numpy()


def test_it_learns_what_only_the_picture_tells(model):
    torch.set_num_threads(1)
    corrector = train_corrector(lessons(model, 20), model, steps=60, seed=0)
    new = lessons(model, 1, frames=60, seed=1)
    said = offsets_of(corrector, new)
    left = np.abs(said - new.offsets)[..., 0].mean()
    assert left < 0.5 * np.abs(new.offsets[..., 0]).mean()


def test_the_same_seed_gives_the_same_corrector(model):
    torch.set_num_threads(1)
    made = [
        train_corrector(lessons(model, 6), model, steps=3, seed=seed).state_dict()
        for seed in (4, 4, 5)
    ]
    name = "mouth.0.weight"
    torch.testing.assert_close(made[0][name], made[1][name], rtol=0, atol=0)
    assert not torch.equal(made[0][name], made[2][name])


def test_it_comes_back_from_disk(model, tmp_path):
    torch.manual_seed(0)
    corrector = Corrector(963, 456).eval()
    torch.nn.init.normal_(corrector.head[-1].weight)
    torch.nn.init.normal_(corrector.offset_directions)
    corrector.save(tmp_path / "c.safetensors", model="abc")
    again, made_for = Corrector.load(tmp_path / "c.safetensors")
    given = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64), torch.rand(2, 963)
    with torch.no_grad():
        looks = corrector.look(*given)
        first, second = (each(looks, looks[:1]) for each in (corrector, again))
    assert made_for == "abc"
    torch.testing.assert_close(first, second, rtol=0.05, atol=0.05 * float(first.abs().max()))


def test_the_person_is_one_for_all_frames(model):
    """What is usual comes from the person: the same face in other company is seen otherwise."""
    torch.manual_seed(0)
    corrector = Corrector(963, 456).eval()
    torch.nn.init.normal_(corrector.linear.weight)
    torch.nn.init.normal_(corrector.offset_directions)
    torch.nn.init.normal_(corrector.seen_directions)
    looks = corrector.look(torch.rand(3, 3, 64, 64), torch.rand(3, 3, 64, 64), torch.rand(3, 963))
    with torch.no_grad():
        alone, together = corrector(looks[:1], looks[:1]), corrector(looks[:1], looks.mean(0)[None])
        shared = corrector(looks, looks.mean(0)[None])
    assert not torch.allclose(alone, together, rtol=0.01)
    torch.testing.assert_close(shared[:1], together, rtol=1e-3, atol=1e-2)


def test_the_package_carries_a_corrector_of_its_own_model(model):
    corrector, made_for = open_corrector()
    assert made_for == model.sha256
    assert corrector.offset_mean.shape == (2 * int(model.landmark_valid.sum()),)


def test_corrected_points_are_nearer_to_the_truth(model, filmed):
    corrector, _ = open_corrector()
    for one in filmed:
        before, after = [], []
        made = measure(one, model, corrector)
        lesson = lessons_of(one, model)
        before.append(np.linalg.norm(lesson.offsets, axis=-1).mean())
        said = offsets_of(corrector, lesson)
        after.append(np.linalg.norm(said - lesson.offsets, axis=-1).mean())
        assert after[0] < 0.85 * before[0]
        assert made.features.shape == lesson.seen.shape
    both = joined([lessons_of(one, model) for one in filmed])
    assert len(both.person) == sum(len(one.person) for one in filmed)


def test_points_of_another_model_stay_and_untrusted_frames_get_the_usual(
    model, filmed, monkeypatch
):
    one = filmed[0]
    frames = np.zeros((len(one.points), *2 * (round(2 * one.lens().cx),), 3), np.uint8)
    names = [str(n) for n in one.score_names]
    sure = np.ones(len(frames), bool)
    sure[0] = False

    def run(model=model):
        return correct(frames, one.points, one.scores, names, one.lens(), model, sure)

    made = run() - one.points
    np.testing.assert_allclose(made[0], made[1:].mean(0), atol=1e-3)
    kept = model.landmark_valid
    assert np.abs(made[:, kept]).max() > 0.1 and np.abs(made[1:, ~kept]).max() == 0
    monkeypatch.setattr(module, "open_corrector", lambda: (open_corrector()[0], "another"))
    np.testing.assert_array_equal(run(), one.points)
