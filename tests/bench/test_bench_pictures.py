import numpy as np
from scipy.ndimage import gaussian_filter1d

from repro.bench import pictures as bench
from repro.pipeline import Target


def test_the_unsteady_hand_drifts_and_the_same_seed_drifts_alike():
    frame = np.zeros((bench.FILM_PX, bench.FILM_PX, 3), np.uint8)
    frame[150:170, 150:170] = 200
    films = [list(bench.shaken(iter([frame] * 60), 60, seed=s)) for s in (1, 1, 2)]
    places = []
    for film in films:
        assert len(film) == 60 and film[0].shape == (bench.WINDOW_PX, bench.WINDOW_PX, 3)
        where = [np.argwhere(f[..., 0] > 100).mean(0) for f in film]
        places.append(np.array(where))
    np.testing.assert_array_equal(films[0], films[1])
    assert np.ptp(places[0], 0).min() > 2 and np.abs(np.diff(places[0], axis=0)).max() < 1.5
    assert np.abs(places[0] - places[2]).max() > 2


def test_a_video_that_jumps_flickers_more_than_one_that_plays(made_up_track, monkeypatch):
    """A target that turns to and fro while the light behind it changes slowly."""
    rng = np.random.default_rng(0)
    frames, turn = 120, 0.3 * np.sin(np.arange(120) / 6)
    light = 120 + 40 * np.cumsum(gaussian_filter1d(rng.normal(size=120), 4)) / 4
    pictures = np.broadcast_to(light.astype(np.uint8)[:, None, None, None], (frames, 8, 8, 3))
    pose = np.zeros((frames, 6), np.float32)
    pose[:, 1] = turn + 0.002 * rng.normal(size=frames)

    class Turning(Target):
        @property
        def motion(self):
            return type("Motion", (), {"pose": pose})

    person = Turning("person 1", "", None, pictures, made_up_track, None)
    wanted = pose.copy()
    wanted[:, 1] = 0.3 * np.sin(np.arange(frames) / 7 + 1)
    monkeypatch.setattr(bench, "_other_take", lambda person, count: wanted)
    measured = bench._flicker(person, [np.zeros((8, 8), np.uint8)] * frames)
    flicker, jumps, error = (measured[name] for name in ("flicker", "jumps", "pose_error_deg"))
    assert jumps["target video"] < flicker["target video"] / 2
    assert jumps["smooth"] < jumps["nearest"]
    assert flicker["smooth"] * 1.5 < flicker["nearest"]
    assert error["nearest"] < error["paper"]
