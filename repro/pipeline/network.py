"""The network that tells coefficients (notebook 02; Yi et al. 2020, section 3.1)."""

from pathlib import Path

from tqdm.auto import tqdm

from repro.corpus.plan import GENERAL
from repro.corpus.recording import Recording
from repro.corpus.truth import truth_of
from repro.pipeline.targets import recordings, target, window_s
from repro.pipeline.workspace import Workspace, counting
from repro.processes import one_thread
from repro.reconstruct.network import CoefficientNetwork
from repro.reconstruct.network_checkpoint import NetworkHistory, load_network, save_network
from repro.reconstruct.portraits import film_portraits
from repro.reconstruct.samples import Samples, joined, samples_of_clip, samples_of_track
from repro.reconstruct.train import train_network
from repro.store import file_hash

_DATA = {"input_px", "crop_m", "frames_per_clip", "portrait_people", "portrait_frames"}
"""Settings that the faces learned from depend on."""


def coefficient_network(ws: Workspace) -> tuple[CoefficientNetwork, NetworkHistory, str]:
    """The network, its history and its key: learned from the general clips and from portraits.

    A training that was cut off goes on from its last look at the held-out people.

    Raises
    ------
    UserError
        As ``recordings`` and ``target``.
    """
    settings = ws.profile.reconstruct_network
    faces = _samples(ws)
    key = {"samples": faces.name, "settings": settings, "seed": ws.seed}
    code = "face", "reconstruct", "render", "fabric"

    def make(folder: Path) -> None:
        checkpoint = ws.checkpoint("reconstruct-network", key, *code)
        with one_thread(), tqdm(desc="coefficient network", unit="step") as bar:
            network, history = train_network(
                Samples.load(faces / "samples.npz"),
                ws.model,
                settings,
                seed=ws.seed,
                device=ws.device,
                checkpoint=checkpoint,
                progress=counting(bar),
            )
        save_network(network, folder / "network.safetensors", ws.model, history)
        checkpoint.unlink(missing_ok=True)

    folder = ws.stage("reconstruct-network", key, make, *code)
    return *load_network(folder / "network.safetensors", ws.model), folder.name


def _samples(ws: Workspace) -> Path:
    """The folder with the faces to learn from: truth where there is truth, else the fit's."""
    settings = ws.profile.reconstruct_network
    clips = recordings(ws, GENERAL)
    key = {
        "clips": [_source(ws, clip) for clip in clips],
        "settings": settings.model_dump(include=_DATA, mode="json"),
        "model": ws.model.sha256,
        "seed": ws.seed,
    }

    def make(folder: Path) -> None:
        speakers = sorted({_speaker(clip) for clip in clips})
        bar = tqdm(clips, desc="faces of clips", unit="clip")
        # Below zero nobody is synthetic.
        parts = [_faces(ws, clip, -1 - speakers.index(_speaker(clip))) for clip in bar]
        if settings.portrait_people:
            with tqdm(desc="portraits", unit="person") as bar:
                workers = ws.profile.corpus.workers
                parts.append(
                    film_portraits(settings, seed=ws.seed, workers=workers, progress=counting(bar))
                )
        joined(parts).save(folder / "samples.npz")

    return ws.stage("reconstruct-samples", key, make, "corpus", "face", "reconstruct", "speech")


def _speaker(clip: Recording) -> str:
    """Who speaks; where the corpus does not say, everybody is somebody else."""
    return clip.speaker or str(clip.video)


def _source(ws: Workspace, clip: Recording) -> str:
    """Names the clip's content: of its video and its truth, or of its reconstruction."""
    if truth_of(clip.video) is None:
        return target(ws, clip.video, audio=clip.audio, min_s=window_s(ws)).key
    return f"{file_hash(clip.video)} {file_hash(clip.video.with_suffix('.npz'))}"


def _faces(ws: Workspace, clip: Recording, number: int) -> Samples:
    settings = ws.profile.reconstruct_network
    if truth_of(clip.video) is not None:
        return samples_of_clip(clip.video, ws.model, settings)
    seen = target(ws, clip.video, audio=clip.audio, min_s=window_s(ws))
    return samples_of_track(seen.frames, seen.track, ws.model, settings, person=number)
