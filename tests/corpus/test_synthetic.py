"""The synthetic corpus on disk."""

import json

import av
import numpy as np
import pytest
from pydantic import ValidationError

from repro import FPS
from repro.corpus.clip import open_clip, read_audio
from repro.corpus.figure import build_figure, pose_figure
from repro.corpus.film import film_camera, render_performance
from repro.corpus.noise import noise_table, value_noise_at
from repro.corpus.people import draw_person
from repro.corpus.performance import Performance
from repro.corpus.plan import WORD_FRAMES
from repro.corpus.settings import CorpusSettings
from repro.corpus.shadow import ambient_occlusion, view_from
from repro.corpus.synthetic import LABEL, load_corpus, make_corpus
from repro.corpus.truth import MATERIALS, load_truth, read_masks, truth_of
from repro.errors import UserError
from repro.face.mesh import vertex_normals
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.render.rasterise import rasterise

SMALL = CorpusSettings(
    people=2, personal_people=1, general_clips=1, clip_s=1.0, word_clips=1, personal_s=1.2,
    test_s=1.0, driving_clips=1, driving_s=1.0, image_px=64, workers=1,
)  # fmt: skip
MODEL = load_open_model()
TABLE = noise_table()


@pytest.fixture(scope="module")
def figure():
    return build_figure(MODEL, draw_person(0), TABLE)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"), SMALL)


def film(figure, expression, pose, **options) -> np.ndarray:
    performance = Performance(
        np.asarray(expression, np.float32)[None], np.asarray(pose, np.float32)[None], np.zeros(1)
    )
    settings = SMALL.model_copy(update={"image_px": 128, "noise": 0.0} | options)
    frame, _ = next(render_performance(figure, performance, settings, seed=0))
    return frame.astype(float)


def rest_pose(figure, *, yaw=0.0, pitch=0.0) -> np.ndarray:
    return np.concatenate([[pitch, yaw, 0], figure.person.pose_style.place_m])


def filmed(corpus):
    return [entry for entry in corpus.entries if entry.split != "driving"]


def test_corpus_has_the_planned_clips_with_held_out_people(corpus):
    counts = {split: len(corpus.split(split)) for split in ("general", "personal", "test")}
    assert counts == {"general": 2, "personal": 1, "test": 1}
    general = {e.person for e in corpus.split("general")}
    assert not general & {e.person for e in corpus.split("personal")}


def test_clips_have_sound_and_as_many_frames_as_their_truth_and_masks(corpus):
    for entry in filmed(corpus):
        clip, truth = open_clip(entry.video), load_truth(entry.truth)
        masks = list(read_masks(entry.masks))
        assert clip.frames == len(truth.pose) == len(masks) == round(entry.length_s * FPS)
        assert clip.has_audio and np.abs(clip.audio()).max() > 0.02
        assert (clip.width, clip.height) == (64, 64) == masks[0].shape


def test_a_word_stands_in_the_middle_of_its_clip(corpus):
    (entry,) = (e for e in corpus.entries if e.word)
    truth = load_truth(entry.truth)
    assert len(truth.pose) == WORD_FRAMES
    k = [w.strip(".").lower() for w in truth.words].index(entry.word)
    middle = truth.word_times_s[k].mean()
    assert abs(middle - WORD_FRAMES / FPS / 2) < 0.05
    assert len(truth.words) > 1, "the clip begins and ends in mid-speech"


def test_driving_speech_is_sound_alone_in_a_voice_of_nobody(corpus):
    (entry,) = corpus.split("driving")
    assert len(read_audio(entry.sound)) == 16000
    assert entry.voice not in {e.voice for e in filmed(corpus)}
    assert not entry.video.exists()


def test_masks_name_the_material_of_every_pixel(corpus):
    entry = corpus.entries[0]
    truth, mask = load_truth(entry.truth), next(read_masks(entry.masks))
    assert mask.max() < len(MATERIALS)
    nose = np.round(truth.landmarks[0, 1]).astype(int)
    assert MATERIALS[mask[nose[1], nose[0]]] == "skin"
    assert MATERIALS[mask[0, 0]] == "background"
    assert {MATERIALS[k] for k in np.unique(mask)} >= {"background", "skin", "clothes", "hair"}


def test_truth_albedo_is_the_models_where_nothing_is_painted(corpus):
    truth = load_truth(corpus.entries[0].truth)
    plain = MODEL.albedo(truth.texture)
    cheek = MODEL.landmark68[[2, 14, 30]]
    assert truth.albedo.shape == plain.shape
    assert np.abs(truth.albedo[cheek] - plain[cheek]).max() < 0.2
    assert truth.albedo.min() >= 0 and truth.albedo.max() <= 1


def test_truth_landmarks_are_the_projected_model(corpus):
    truth = load_truth(corpus.entries[0].truth)
    vertices = MODEL.vertices(truth.identity, truth.expression)
    points = apply_pose(MODEL.landmarks(vertices), truth.pose)
    np.testing.assert_allclose(truth.camera.project(points), truth.landmarks, atol=0.01)


def test_truth_holds_phonemes_in_order(corpus):
    truth = load_truth(corpus.entries[0].truth)
    assert len(truth.symbols) == len(truth.times_s) > 3
    assert (np.diff(truth.times_s[:, 0]) >= 0).all() and truth.times_s[0, 0] >= 0


def test_a_second_run_keeps_what_is_there(corpus):
    before = [e.note.stat().st_mtime_ns for e in corpus.entries]
    seen = []
    again = make_corpus(corpus.folder, SMALL, progress=lambda *step: seen.append(step))
    assert [e.note.stat().st_mtime_ns for e in again.entries] == before
    assert seen == []


def test_an_interrupted_clip_is_made_again_to_the_byte(corpus):
    entry = corpus.entries[0]
    files = (entry.video, entry.truth, entry.masks)
    before = [path.read_bytes() for path in files]
    entry.note.unlink()
    seen = []
    make_corpus(corpus.folder, SMALL, progress=lambda *step: seen.append(step))
    assert seen == [(len(corpus.entries), len(corpus.entries), entry.name)]
    assert [path.read_bytes() for path in files] == before


def test_processes_side_by_side_make_the_same_clips(corpus, tmp_path):
    other = make_corpus(
        tmp_path, SMALL.model_copy(update={"workers": 2}), splits=("general", "driving")
    )
    assert other.split("personal") and not other.split("personal")[0].note.exists()
    for old, new in zip(corpus.split("general"), other.split("general"), strict=True):
        assert new.truth.read_bytes() == old.truth.read_bytes()
        assert new.video.read_bytes() == old.video.read_bytes()


def test_shares_made_apart_are_the_same_corpus(corpus, tmp_path):
    settings = SMALL.model_copy(update={"threads": 2})
    seen = []
    for part in ((2, 2), (1, 2)):
        make_corpus(tmp_path, settings, part=part, progress=lambda *step: seen.append(step))
    assert len(seen) == len(corpus.entries)
    assert {done for done, _, _ in seen} <= set(range(1, len(corpus.entries)))
    for old, new in zip(corpus.entries, load_corpus(tmp_path).entries, strict=True):
        if old.split != "driving":
            assert new.video.read_bytes() == old.video.read_bytes()
            assert new.truth.read_bytes() == old.truth.read_bytes()


def test_other_settings_in_the_same_folder_are_refused(corpus):
    with pytest.raises(UserError, match=r"clip_s=1\.0, not 3\.0"):
        make_corpus(corpus.folder, SMALL.model_copy(update={"clip_s": 3.0}))


def test_no_unfinished_files_are_left(corpus):
    names = {p.suffix for p in corpus.folder.iterdir()}
    assert names == {".mp4", ".npz", ".json", ".mkv", ".wav"}


def test_videos_are_labelled_synthetic(corpus):
    entry = corpus.entries[0]
    assert json.loads(entry.note.read_text())["label"] == LABEL
    with av.open(str(entry.video)) as container:
        assert container.metadata["comment"] == LABEL


def test_missing_corpus_and_missing_truth_are_named(tmp_path):
    with pytest.raises(UserError, match="no synthetic corpus"):
        load_corpus(tmp_path)
    with pytest.raises(UserError, match=r"gone\.npz"):
        load_truth(tmp_path / "gone.npz")
    assert truth_of(tmp_path / "real.mp4") is None


def test_personal_people_must_leave_general_ones():
    with pytest.raises(ValidationError, match="fewer than people"):
        CorpusSettings(people=2, personal_people=2)


def test_same_seed_films_the_same_frame(figure):
    pose = rest_pose(figure)
    np.testing.assert_array_equal(
        film(figure, np.zeros(64), pose), film(figure, np.zeros(64), pose, threads=2)
    )


def test_opening_the_jaw_changes_the_mouth_and_not_the_forehead_or_the_clothes(figure):
    open_jaw = np.zeros(64)
    open_jaw[MODEL.expression_names.index("jawOpen")] = 0.4
    pose = rest_pose(figure)
    change = np.abs(film(figure, open_jaw, pose) - film(figure, np.zeros(64), pose)).max(-1)
    camera = film_camera(SMALL.model_copy(update={"image_px": 128}))
    marks = camera.project(apply_pose(figure.neutral[MODEL.landmark68], pose))
    mouth = marks[48:].mean(0).astype(int)
    brow = int(marks[19:25, 1].min())
    assert change[mouth[1] : mouth[1] + 4, mouth[0] - 3 : mouth[0] + 4].max() > 40
    assert change[: brow - 12].max() < 6 and change[-6:].max() == 0


def test_shoulders_stay_while_the_head_turns(figure):
    still, turned = (film(figure, np.zeros(64), rest_pose(figure, yaw=a)) for a in (0, 0.25))
    change = np.abs(still - turned).max(-1)
    assert change[40:80, 45:85].mean() > 8 and change[-8:].mean() < 3


def test_torso_vertices_do_not_move_and_face_vertices_follow_the_pose(figure):
    pose = rest_pose(figure, yaw=0.3, pitch=-0.1).astype(np.float32)
    surface = pose_figure(figure, np.zeros(64, np.float32), pose)
    face = np.flatnonzero(MODEL.skin_mask > 0.5)
    expected = apply_pose(figure.neutral[face].astype(float), pose.astype(float))
    np.testing.assert_allclose(surface.points[face], expected, atol=1e-4)
    first = len(figure.neutral) + len(figure.attached)
    torso = surface.points[first : first + len(figure.torso)]
    np.testing.assert_allclose(torso, figure.torso, atol=1e-6)


def test_no_solid_mesh_shows_its_inner_side():
    with_glasses = build_figure(MODEL, draw_person(3), TABLE)
    camera = film_camera(SMALL.model_copy(update={"image_px": 256}))
    for yaw in (-0.4, 0.0, 0.4):
        surface = pose_figure(
            with_glasses, np.zeros(64, np.float32), rest_pose(with_glasses, yaw=yaw)
        )
        mesh = with_glasses.triangles[0]
        both, outer = (rasterise(surface.points, mesh, camera, cull=c) for c in (False, True))
        assert (both.triangle != outer.triangle).mean() < 0.001


def test_every_style_of_hair_can_be_built():
    styles = set()
    for seed in range(8):
        person = draw_person(seed)
        styles.add(person.appearance.hair.style)
        figure = build_figure(MODEL, person, TABLE)
        surface = pose_figure(figure, np.zeros(64, np.float32), rest_pose(figure))
        assert np.isfinite(surface.points).all() and len(surface.points) == len(figure.paint.marks)
        assert max(t.max() for t in figure.triangles) < len(surface.points)
    assert len(styles) >= 5


def test_normals_of_an_octahedron_point_outwards():
    points = np.concatenate([np.eye(3), -np.eye(3)])
    corners = [(x, y, z) for x in (0, 3) for y in (1, 4) for z in (2, 5)]
    outward = [c if np.linalg.det(points[list(c)]) > 0 else c[::-1] for c in corners]
    normals = vertex_normals(points, np.array(outward, np.int32))
    np.testing.assert_allclose(normals, points, atol=1e-9)


def test_a_plate_hides_the_light_from_what_is_behind_it():
    plate = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float) * 0.2
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    view = view_from(
        np.array([0, 0, -1.0]), plate, triangles, centre=np.zeros(3), extent_m=0.6, size_px=64
    )
    column, row, depth = view.locate(np.array([0.0, 0.0, 0.1]))
    assert view.depth[int(row), int(column)] < depth - 0.05


def test_an_open_plate_sees_the_whole_sky_and_a_covered_one_does_not():
    plate = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]], float) * 0.2
    covered = np.concatenate([plate, plate - np.array([0, 0.05, 0])])
    triangles = np.array([[0, 2, 1], [0, 3, 2], [4, 6, 5], [4, 7, 6]], np.int32)
    up = np.tile([0.0, -1.0, 0.0], (8, 1))
    middle = np.array([[0.0, 0.0, 0.0], [0.0, -0.05, 0.0]])
    points, normals = np.concatenate([covered, middle]), np.concatenate([up, up[:2]])
    sky = ambient_occlusion(points, normals, triangles)
    assert sky[9] > 0.95 and sky[8] < 0.3


def test_noise_is_smooth_repeats_and_has_no_bias():
    points = np.random.default_rng(0).uniform(0, 64, (4000, 3))
    noise = value_noise_at(TABLE, points)
    assert abs(noise.mean()) < 0.05
    np.testing.assert_allclose(value_noise_at(TABLE, points + 64), noise, atol=1e-6)
    assert np.abs(value_noise_at(TABLE, points + 0.01) - noise).max() < 0.25
