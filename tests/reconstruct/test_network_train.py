import dataclasses

import cv2
import numpy as np
import pytest
import torch

from repro.errors import UserError
from repro.face.camera import Camera
from repro.face.coefficients import Coefficients
from repro.face.light import ambient_light, irradiance
from repro.face.mesh import vertex_normals
from repro.face.model import MEDIAPIPE_OF_68, load_open_model
from repro.face.pose import apply_pose, euler_angles
from repro.reconstruct.alignment import face_centre, ray_rotation, rotated_light, to_network
from repro.reconstruct.augment import NO_CHANGE, Change, draw_change, make_batch, warped
from repro.reconstruct.decoder import FaceDecoder, in_view
from repro.reconstruct.network import CoefficientNetwork
from repro.reconstruct.network_settings import ReconstructNetworkSettings
from repro.reconstruct.objective import Objective, face_regions
from repro.reconstruct.portraits import film_portraits
from repro.reconstruct.samples import Samples, gather, joined, padded_px
from repro.reconstruct.train import learning_rate, split_people, train_network
from repro.render.rasterise import rasterise

SETTINGS = ReconstructNetworkSettings(
    block="basic", layers=(1, 1, 1, 1), width=4, pooled=2, input_px=48, crop_m=0.2,
    frames_per_clip=4, portrait_people=2, portrait_frames=2, held_out=0.3, batch=6, steps=6,
    lr=1e-2, validate_every=3, unlabelled_share=0.3, shift=0.04, rotation_deg=15,
)  # fmt: skip
CAMERA = Camera(420, 100, 90, 200, 180)


@pytest.fixture(scope="module")
def model():
    return load_open_model()


def _person(model, seed, count=6) -> Samples:
    """Flat-coloured faces in known light, with their truth."""
    rng = np.random.default_rng(seed)
    t = count
    pose = np.concatenate(
        [rng.normal(0, 0.15, (t, 3)), rng.normal(0, 0.01, (t, 2)), rng.normal(0.95, 0.02, (t, 1))],
        1,
    )
    expression = np.zeros((t, 64), np.float32)
    expression[:, model.expression_names.index("jawOpen")] = rng.random(t) * 0.5
    light = np.tile(ambient_light(0.9), (t, 1))
    c = Coefficients(
        rng.normal(0, 0.7, 80).astype(np.float32), expression,
        rng.normal(0, 0.5, 80).astype(np.float32), light, pose.astype(np.float32),
    )  # fmt: skip
    frames, points = [], []
    for k in range(t):
        vertices = apply_pose(model.vertices(c.identity, expression[k]), pose[k])
        colours = model.albedo(c.texture) * irradiance(
            vertex_normals(vertices, model.triangles), light[k]
        )
        raster = rasterise(vertices, model.triangles, CAMERA)
        corners = colours[model.triangles[raster.triangle]]
        image = (raster.barycentric[..., None] * corners).sum(2)
        frames.append((np.clip(image, 0, 1) * 255).astype(np.uint8))
        points.append(CAMERA.project(model.landmarks(vertices)))
    return gather(
        frames, np.array(points), CAMERA, model, SETTINGS, person=seed, vectors=c.vectors()
    )


@pytest.fixture(scope="module")
def samples(model):
    return joined([_person(model, seed) for seed in range(4)])


def _true_answers(batch):
    """What a perfect network would say of a batch."""
    near, place = to_network(batch.rotation, batch.place, *batch.views)
    answers = batch.vectors.clone()
    answers[:, 224:227] = torch.from_numpy(euler_angles(near.numpy()))
    answers[:, 254:] = place
    ray = ray_rotation(*batch.views)
    answers[:, 227:254] = rotated_light(batch.light, ray.transpose(1, 2))
    return answers


@pytest.fixture(scope="module")
def centre(model):
    return face_centre(model)


def test_faces_are_stored_with_a_margin_around_the_crop(samples):
    assert samples.images.shape == (24, padded_px(SETTINGS), padded_px(SETTINGS), 3)
    eyes = samples.landmarks[:, [33, 263]].mean(1)
    assert np.abs(eyes[:, 0] - padded_px(SETTINGS) / 2).max() < 8


def test_samples_come_back_from_disk(samples, tmp_path):
    samples.save(tmp_path / "s.npz")
    again = Samples.load(tmp_path / "s.npz")
    for part in dataclasses.fields(Samples):
        np.testing.assert_array_equal(getattr(again, part.name), getattr(samples, part.name))


@pytest.mark.parametrize("turned", [False, True])
def test_the_truth_of_a_changed_picture_has_no_error(model, samples, centre, turned):
    """Whatever is done to the picture, the truth that goes with it projects onto its landmarks."""
    rng = np.random.default_rng(0) if turned else None
    batch = make_batch(samples, np.arange(8), SETTINGS, centre, rng)
    answers = _true_answers(batch)
    errors = Objective(model, centre, SETTINGS).errors(answers, batch)
    for name, error in errors.items():
        assert error.max() < 0.02, name


def test_a_changed_picture_shows_its_landmarks_where_it_says(model, samples, centre):
    """The colour at a landmark of the changed picture is that of the picture before."""
    batch = make_batch(samples, np.arange(4), SETTINGS, centre, None)
    change = Change(np.array([2.0, -1.0]), 1.1, 0.3, np.ones(3))
    affine = change.affine(padded_px(SETTINGS), SETTINGS.input_px)
    image = cv2.GaussianBlur(samples.images[0], (0, 0), 2).astype(np.float32)
    changed = warped(image, affine, SETTINGS.input_px)
    point = samples.landmarks[0, 4]
    moved = affine[:, :2] @ point + affine[:, 2]

    def colour(picture, xy):
        x, y = (xy - 0.5).astype(np.float32)
        return cv2.remap(picture, x.reshape(1, 1), y.reshape(1, 1), cv2.INTER_LINEAR)[0, 0]

    np.testing.assert_allclose(colour(changed, moved), colour(image, point), atol=3)
    assert batch.images.shape == (4, 3, 48, 48)


def test_changes_stay_within_their_bounds():
    rng = np.random.default_rng(0)
    changes = [draw_change(SETTINGS, rng) for _ in range(200)]
    assert max(np.abs(c.shift).max() for c in changes) <= 0.04 * 48
    assert max(abs(c.turn) for c in changes) <= np.deg2rad(15)
    assert all(1 / 1.11 < c.zoom < 1.11 for c in changes)
    assert NO_CHANGE.affine(48, 48).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_the_picture_alone_prefers_the_truth(model, samples, centre):
    """Landmark and photometric terms are least near the truth, for light and for texture."""
    batch = make_batch(samples, np.arange(6), SETTINGS, centre, None)
    objective = Objective(model, centre, SETTINGS)
    none = torch.zeros(6, dtype=torch.bool)
    truth = _true_answers(batch)
    terms = objective(truth, batch, none)
    assert terms["picture_landmarks"] < 1e-2
    dark, turned = truth.clone(), truth.clone()
    dark[:, 227:254] *= 0.6
    turned[:, 225] += 0.2
    assert terms["photometric"] < 0.6 * objective(dark, batch, none)["photometric"]
    assert terms["picture_landmarks"] < 0.1 * objective(turned, batch, none)["picture_landmarks"]


def test_the_picture_alone_gives_a_gradient_to_every_coefficient(model, samples, centre):
    batch = make_batch(samples, np.arange(3), SETTINGS, centre, None)

    def features(images):
        return torch.nn.functional.avg_pool2d(images, 6).flatten(1) - 0.3

    objective = Objective(model, centre, SETTINGS, features)
    answers = (_true_answers(batch) + 0.05).requires_grad_()
    terms = objective(answers, batch, torch.zeros(3, dtype=torch.bool))
    terms["total"].backward()
    assert answers.grad.isfinite().all() and (answers.grad.abs().sum(0) > 0).all()
    assert 0 < terms["features"] < 1


def test_painted_faces_look_like_their_pictures(model, samples, centre):
    batch = make_batch(samples, np.arange(2), SETTINGS, centre, None)
    decoder, truth = FaceDecoder(model, centre), _true_answers(batch)
    decoded = decoder.pose(truth, batch.views)
    vertices = decoder.vertices(truth, decoded)
    colours, weights, _ = decoder.drawn(vertices, decoder.albedo(truth), decoded.light, batch.views)
    painted = decoder.painted(torch.zeros_like(batch.images), vertices, colours, batch.views)
    face = painted.sum(1) > 0
    assert face.float().mean() > 0.3
    difference = (painted - batch.images).abs().mean(1)[face]
    assert difference.mean() < 0.05
    assert 200 < weights[0].sum() < 2200


def test_hidden_vertices_are_not_in_view(model):
    """Turned far to one side, the other side's cheek and eye disappear."""
    points = apply_pose(model.mean, np.array([0, 1.0, 0, 0, 0, 1.0]))
    camera = Camera(500, 64, 64, 128, 128)
    seen = in_view(points, vertex_normals(points, model.triangles), camera, model.triangles)
    left, right = (model.mean[:, 0] * side > 0.04 for side in (1, -1))
    skin = model.skin_mask > 0.5
    shares = sorted([seen[left & skin].mean(), seen[right & skin].mean()])
    assert shares[0] < 0.15 and shares[1] > 0.6


def test_a_model_with_few_of_the_478_is_judged_by_its_68(model, centre):
    valid = np.zeros(478, bool)
    valid[MEDIAPIPE_OF_68[17:]] = True
    decoder = FaceDecoder(dataclasses.replace(model, landmark_valid=valid), centre)
    assert decoder.points.tolist() == MEDIAPIPE_OF_68.tolist()
    assert decoder.landmark_mean.shape == (68, 3)
    np.testing.assert_allclose(
        decoder.landmark_mean, model.mean[model.landmark68] - centre, atol=1e-6
    )


def test_regions_are_where_they_are_called_after(model):
    regions = face_regions(model)
    lips = model.mean[model.landmark68[48:60]]
    mouth = model.mean[regions["mouth"] > 0.5]
    assert np.abs(mouth.mean(0) - lips.mean(0)).max() < 0.02
    assert (regions["lids"] == 1).sum() > 30
    assert regions["face"].max() == 1


def test_held_out_people_are_not_learned_from(samples):
    learned, held = split_people(samples, 0.3, seed=0)
    assert len(learned) == 18 and len(held) == 6
    assert not set(samples.person[learned]) & set(samples.person[held])


def test_one_person_is_learned_from_whole(samples):
    learned, held = split_people(samples[samples.person == 0], 0.3, seed=0)
    assert len(learned) == 6 and len(held) == 0


def test_the_learning_rate_rises_and_falls_to_zero():
    s = SETTINGS.model_copy(update={"steps": 100})
    rates = [learning_rate(k, s) for k in range(101)]
    assert rates[0] == pytest.approx(2e-3) and max(rates) == rates[5] == pytest.approx(1e-2)
    assert rates[100] == pytest.approx(0, abs=1e-9)


def test_training_lowers_the_loss_and_tells_what_it_did(model, samples):
    s = SETTINGS.model_copy(update={"steps": 24, "validate_every": 8, "batch": 8})
    calls = []
    network, history = train_network(
        samples, model, s, seed=0, progress=lambda *call: calls.append(call)
    )
    total = history.train["total"]
    assert len(total) == 3 and total[-1] < 0.8 * total[0]
    assert history.held_out["step"] == [8, 16, 24] and history.best in (8, 16, 24)
    assert calls[-1][:2] == (24, 24) and not network.training
    assert {"mouth", "identity", "landmarks", "angle"} < set(history.held_out)


def test_training_without_any_truth_learns_from_the_picture(model, samples):
    unknown = dataclasses.replace(
        samples, labelled=np.zeros(24, bool), vectors=np.zeros_like(samples.vectors)
    )
    _, history = train_network(unknown, model, SETTINGS, seed=0)
    assert {"picture_landmarks", "photometric", "prior", "total"} <= set(history.train)
    assert "mouth" not in history.train


def test_a_run_that_was_cut_off_goes_on_to_the_same_network(model, samples, tmp_path):
    whole, told = train_network(samples, model, SETTINGS, seed=1)

    class CutError(Exception):
        pass

    def cut(done, *_):
        if done == 4:
            raise CutError

    path = tmp_path / "run.safetensors"
    with pytest.raises(CutError):
        train_network(samples, model, SETTINGS, seed=1, checkpoint=path, progress=cut)
    resumed, told_again = train_network(samples, model, SETTINGS, seed=1, checkpoint=path)
    assert told_again.train == told.train and told_again.held_out == told.held_out
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_run_out_of_time_is_judged_before_it_ends(model, samples):
    s = SETTINGS.model_copy(update={"max_seconds": 1e-6, "validate_every": 5})
    _, history = train_network(samples, model, s, seed=0)
    assert history.steps == 1 and history.held_out["step"] == [1]


def test_a_run_that_no_longer_improves_is_stopped(model, samples):
    s = SETTINGS.model_copy(update={"lr": 1e3, "patience": 1, "steps": 12, "validate_every": 2})
    _, history = train_network(samples, model, s, seed=0)
    assert history.steps < 12 and history.best < history.steps


def test_a_checkpoint_of_another_run_is_refused(model, samples, tmp_path):
    path = tmp_path / "run.safetensors"
    train_network(samples, model, SETTINGS, seed=1, checkpoint=path)
    with pytest.raises(UserError, match="other settings, seed or data"):
        train_network(samples, model, SETTINGS, seed=2, checkpoint=path)


def test_faces_of_another_size_are_refused(model, samples):
    s = SETTINGS.model_copy(update={"input_px": 64})
    with pytest.raises(UserError, match="90 px"):
        train_network(samples, model, s, seed=0)


def test_portraits_are_faces_with_their_truth(model, centre):
    faces = film_portraits(SETTINGS, seed=0)
    assert len(faces) == 4 and len(np.unique(faces.person)) == 2 and faces.labelled.all()
    batch = make_batch(faces, np.arange(4), SETTINGS, centre, None)
    objective = Objective(model, centre, SETTINGS)
    errors = objective.errors(_true_answers(batch), batch)
    assert max(error.max() for error in errors.values()) < 0.05
    assert objective.decoder.points.size > 400
    again = film_portraits(SETTINGS.model_copy(update={"portrait_people": 1}), seed=0)
    np.testing.assert_array_equal(again.images, faces.images[:2])


def test_the_spread_of_what_is_learned_scales_the_answers(model, samples):
    network, _ = train_network(
        samples, model, SETTINGS.model_copy(update={"steps": 1, "lr": 1e-9}), seed=0
    )
    learned, _ = split_people(samples, 0.3, seed=0)
    mean = samples.vectors[learned].mean(0)
    np.testing.assert_allclose(network.mean[:224], mean[:224], atol=1e-5)
    assert isinstance(network, CoefficientNetwork) and (network.scale > 0).all()
