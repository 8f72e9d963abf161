"""The trained network at work: frames of a person from references, landmarks and head motion."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from repro.animate.embedding import Encoded
from repro.animate.footage import Footage
from repro.animate.generator import Generator, seeded_generator
from repro.animate.settings import AnimateSettings
from repro.animate.views import Views, joined, match_costs, reference_planes, view_of
from repro.errors import UserError
from repro.fabric import in_bf16
from repro.frames import evenly
from repro.weights import save_weights, saved_weights


@dataclass(frozen=True)
class Animator:
    """A trained 3D-aware generative network (Chen et al. 2020, section 4).

    perceptual  the network of Eq. 8's perceptual term, by name
    people      how many it was trained on
    """

    network: Generator
    settings: AnimateSettings
    perceptual: str
    people: int

    def references(self, person: Footage, count: int | None = None) -> Footage:
        """K of the person's first tau frames, spread evenly; fewer where there are fewer.

        ``count``: K, where it is not the settings'.
        """
        wanted = self.settings.references if count is None else count
        return person[evenly(wanted, min(len(person), self.settings.tau))]

    def animate(
        self, references: Footage, landmarks: np.ndarray, pose: np.ndarray, *, batch: int = 4
    ) -> Iterator[np.ndarray]:
        """Make a person's frames, one after another; memory does not grow with their number.

        References are encoded once, and the mesh is taken of the most visible of them.

        Parameters
        ----------
        references : K frames of the person, any number from one on
        landmarks : (T, 68, 2) pixels, wanted
        pose : (T, 6) radians and metres, wanted; of the landmarks' head
        batch : frames in one pass of the network

        Yields
        ------
        (S, S, 3) uint8

        Raises
        ------
        UserError
            The references have another size than the network's, or landmarks and poses do not
            belong together or are not finite.
        """
        self._check(references, landmarks, pose)
        return self._frames(references, landmarks, pose, batch)

    def _check(self, references: Footage, landmarks: np.ndarray, pose: np.ndarray) -> None:
        if references.size_px != self.settings.image_px:
            raise UserError(
                f"Reference frames of '{references.name}' are {references.size_px} px wide, the "
                f"network makes {self.settings.image_px} px; set animate.image_px alike for both."
            )
        if len(landmarks) != len(pose):
            raise UserError(
                f"There are {len(landmarks)} sets of landmarks and {len(pose)} poses to animate "
                f"'{references.name}' with; give one of each per frame."
            )
        for what, array in (("landmarks", landmarks), ("pose", pose)):
            lost = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(1))
            if len(lost):
                raise UserError(
                    f"The wanted {what} of frame {lost[0]} are not finite numbers; "
                    "give numbers for every frame."
                )

    def _frames(
        self, references: Footage, landmarks: np.ndarray, pose: np.ndarray, batch: int
    ) -> Iterator[np.ndarray]:
        device = next(self.network.parameters()).device
        mesh = references.mesh()
        nearest = match_costs(references, landmarks, pose, self.settings).argmin(-1)
        with torch.inference_mode():
            frames, sketches = reference_planes(references)
            encoded = self.network.encode(frames.to(device), sketches.to(device))
        for start in range(0, len(pose), batch):
            views = [
                view_of(
                    references,
                    mesh,
                    landmarks[t],
                    pose[t],
                    int(nearest[t]),
                    hide_mouth=self.settings.hide_mouth,
                )
                for t in range(start, min(start + batch, len(pose)))
            ]
            yield from self._made(encoded, joined(views).to(device))

    @torch.inference_mode()
    def _made(self, encoded: Encoded, views: Views) -> np.ndarray:
        device = views.sketch.device
        low = in_bf16(self.settings.precision, device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
            made = self.network.compose(encoded.repeated(len(views.sketch)), views).frame
        return (made.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def save_animator(animator: Animator, path: Path) -> None:
    """Write ``path`` (.safetensors) and, beside it, what else must be known as .json."""
    about = {
        "settings": animator.settings.model_dump(mode="json"),
        "perceptual": animator.perceptual,
        "people": animator.people,
    }
    save_weights(path, animator.network.state_dict(), about)


def load_animator(path: Path) -> Animator:
    """Read what ``save_animator`` wrote.

    Raises
    ------
    UserError
        A file is missing, damaged, or of another version.
    """
    with saved_weights(path, "Generative network") as (tensors, about):
        settings = AnimateSettings(**about["settings"])
        network = seeded_generator(settings, seed=0)
        network.load_state_dict(tensors)
        return Animator(network.eval(), settings, about["perceptual"], about["people"])
