"""What several folders' tests share: a made-up track, speech, one run under the smoke profile."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from repro.cli import main
from repro.corpus.people import draw_person
from repro.corpus.performance import perform
from repro.corpus.plan import PERSONAL
from repro.corpus.synthetic import load_corpus
from repro.face.camera import Camera, Crop
from repro.face.coefficients import Coefficients
from repro.face.light import ambient_light
from repro.face.model import load_open_model
from repro.face.pose import apply_pose
from repro.motion.data import prepare
from repro.motion.mapping import MotionMapping
from repro.motion.motion import Motion
from repro.motion.regression import fit_ridge
from repro.motion.settings import MotionSettings
from repro.reconstruct.track import FaceTrack
from repro.speech.features import frames_of, mfcc_windows
from repro.speech.sentences import SENTENCES
from repro.speech.synthesis import fitted, speak

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture
def one_thread():
    """The networks that a test trains are too small for more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@dataclass(frozen=True)
class SmokeRun:
    """``repro run --profile smoke``, which goes on beside the tests that do not look at it."""

    folder: Path
    process: subprocess.Popen

    @classmethod
    def begun(cls) -> "SmokeRun":
        folder = Path(tempfile.mkdtemp(prefix="smoke-"))
        command = [sys.executable, "-m", "repro.cli", "run", "--profile", "smoke"]
        with (folder / "log.txt").open("w") as log:
            process = subprocess.Popen(
                [*command, "--results", str(folder)], cwd=CHECKOUT, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        return cls(folder, process)

    def results(self) -> Path:
        """Wait for its end; what it made."""
        code = self.process.wait()
        assert code == 0, (self.folder / "log.txt").read_text()[-6000:]
        return self.folder / "smoke" / "synthetic"

    def end(self) -> None:
        """Kill it with all it has started, if it still runs, and remove what it made."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


_SMOKE_RUN = pytest.StashKey[SmokeRun]()


def _looks_at_the_smoke_run(item: pytest.Item) -> bool:
    return "smoke_run" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items):
    """Tests that look at the smoke run come last, so that none waits long for it.

    Last of all are those in a browser, which run a notebook of it again.
    """
    items.sort(key=lambda item: (_looks_at_the_smoke_run(item), "browser" in item.path.parts))


def pytest_collection_finish(session):
    """Begin the smoke run, if a test will look at it."""
    if not session.config.option.collectonly and any(map(_looks_at_the_smoke_run, session.items)):
        session.config.stash[_SMOKE_RUN] = SmokeRun.begun()


def pytest_unconfigure(config):
    run = config.stash.get(_SMOKE_RUN, None)
    if run is not None:
        run.end()


@pytest.fixture(scope="session")
def smoke_run(pytestconfig) -> Path:
    """The results of ``repro run --profile smoke``."""
    return pytestconfig.stash[_SMOKE_RUN].results()


@pytest.fixture(scope="session")
def filmed_person(smoke_run) -> Path:
    """The first personal clip of that run's corpus."""
    (folder,) = (smoke_run / "corpus").iterdir()
    return load_corpus(folder).split(PERSONAL)[0].video


@pytest.fixture(scope="session")
def made_up_track() -> FaceTrack:
    """A person who opens the mouth over 6 frames of 96 px; the face is lost in the fourth."""
    model, frames, size = load_open_model(), 6, 96
    expression = np.zeros((frames, 64), np.float32)
    expression[:, model.expression_names.index("jawOpen")] = np.linspace(0, 0.5, frames)
    pose = np.tile(np.array([0, 0, 0, 0, 0, 1.0], np.float32), (frames, 1))
    camera = Camera(3 * size, size / 2, size / 2, size, size)
    identity = np.random.default_rng(0).normal(0, 0.5, 80).astype(np.float32)
    posed = apply_pose(model.vertices(identity, expression), pose)
    light = np.tile(ambient_light(0.9), (frames, 1))
    expression.setflags(write=False)  # one track for every test
    return FaceTrack(
        landmarks=camera.project(model.landmarks(posed)).astype(np.float32),
        found=np.arange(frames) != 3,
        confidence=np.where(np.arange(frames) == 3, 0.1, 1).astype(np.float32),
        coefficients=Coefficients(identity, expression, np.zeros(80, np.float32), light, pose),
        shape_offset=np.zeros_like(model.mean),
        landmark_shift=np.zeros((478, 3), np.float32),
        camera=camera,
        crop=Crop(0, 0, size, size),
        residual=np.full((frames, model.landmark_valid.sum()), 0.5, np.float32),
        people=1,
    )


@dataclass(frozen=True)
class Spoken:
    """Some seconds of a synthetic person's speech: sound (N,) and the motion that goes with it."""

    audio: np.ndarray
    motion: Motion

    @property
    def windows(self) -> np.ndarray:
        return mfcc_windows(self.audio, len(self.motion))


@pytest.fixture(scope="session")
def spoken() -> Callable[[int], Spoken]:
    """Person ``k``, who says two sentences of their own."""
    names = load_open_model().expression_names

    def say(k: int) -> Spoken:
        person = draw_person(k)
        speech = speak(f"{SENTENCES[k]} {SENTENCES[k + 20]}", voice=person.voice)
        frames = frames_of(len(speech.audio))
        audio = fitted(speech.audio, frames)
        acted = perform(audio, speech.phonemes, person, frames=frames, seed=k, names=names)
        return Spoken(audio, Motion(acted.expression, acted.pose))

    return say


@pytest.fixture(scope="session")
def linear_mapping(spoken) -> MotionMapping:
    """A mapping that has learned something in seconds: all of it is its linear share."""
    settings = MotionSettings(
        encoder_channels=(4, 4, 4, 4, 4),
        encoder_hidden=8,
        encoder_dim=8,
        lstm_dim=8,
        lstm_layers=1,
        normalise_voice=True,
        ridge_share=1.0,
    )
    clips = [spoken(k) for k in range(12)]
    windows = np.concatenate([prepare(clip.windows, settings) for clip in clips])
    expression = np.concatenate([clip.motion.expression for clip in clips])
    mapping = MotionMapping.untrained(settings, seed=0)
    mapping.ridge.copy_(torch.from_numpy(fit_ridge(windows, expression)))
    mapping.ridge_fitted.fill_(True)
    return mapping.eval()


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command; gives its exit code and what it printed to stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["repro", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return run
