"""The trained refiner: rendered frames in, refined frames out, as a stream."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from repro.errors import UserError
from repro.fabric import in_bf16
from repro.refine.generator import Generator
from repro.refine.memory import IdentityMemory
from repro.refine.pairs import editable_in_box, to_tensor
from repro.refine.region import face_box
from repro.refine.settings import RefineSettings
from repro.refine.spatial import SpatialEncoder
from repro.weights import save_weights, saved_weights

FORMAT = 1
"""Version of the saved files."""


def empty_memory(settings: RefineSettings, *, identity_dim: int) -> IdentityMemory:
    """A memory without entries."""
    return IdentityMemory(
        settings.memory_slots,
        spatial_dim=settings.spatial_dim,
        identity_dim=identity_dim,
        nearest=settings.nearest,
        identity_threshold=settings.identity_threshold,
        margin=settings.triplet_margin,
        age_noise=settings.age_noise,
    )


@dataclass(frozen=True)
class _Step:
    """One frame on its way.

    window    (H, W, 9) uint8
    corner    top and left of its box
    editable  (h, w) float32, what may change in the box, or None
    feature   (D,) its identity feature
    """

    window: np.ndarray
    corner: tuple[int, int]
    editable: np.ndarray | None
    feature: Tensor


@dataclass(frozen=True)
class Refiner:
    """Generator, spatial encoder and memory of Yi et al. 2020, section 3.4.

    ``identity_name`` is the network whose features stand in the memory.
    """

    generator: Generator
    spatial: SpatialEncoder
    memory: IdentityMemory
    identity_name: str
    settings: RefineSettings

    def refine_frames(
        self,
        frames: Iterable[np.ndarray],
        *,
        masks: Iterable[np.ndarray] | None = None,
        batch: int = 4,
    ) -> Iterator[np.ndarray]:
        """Refine rendered frames one after another; memory does not grow with their number.

        The identity feature is read from the memory with the frame's spatial feature and averaged
        over adjacent frames, so output lags input by half of that average and by the batch.

        Parameters
        ----------
        frames : iterable of (H, W, 3) uint8 RGB
        masks : iterable of (H, W), nonzero where the face was rendered; as many as frames. Needed
            where the settings crop to the face or hold the frame outside it.
        batch : frames in one pass of the network

        Yields
        ------
        (H, W, 3) uint8, one for each frame

        Raises
        ------
        UserError
            A frame's sides cannot be halved as often as the network has levels; masks are needed
            and missing; the frame is smaller than the box about the face, or, where the box is the
            frame, of another size.
        """
        self._check_masks(masks)
        steps = self._smoothed(self._steps(frames, masks))
        while group := list(islice(steps, batch)):
            yield from self._refine(group)

    def retrieved(
        self, frames: Iterable[np.ndarray], *, masks: Iterable[np.ndarray] | None = None
    ) -> np.ndarray:
        """Identity features (T, D) float32 that the memory gives for rendered frames.

        As read, before they are averaged over adjacent frames. Parameters as ``refine_frames``.
        """
        self._check_masks(masks)
        features = [step.feature.cpu().numpy() for step in self._steps(frames, masks)]
        return np.stack(features).astype(np.float32)

    @torch.inference_mode()
    def asked(
        self, frames: Iterable[np.ndarray], *, masks: Iterable[np.ndarray] | None = None
    ) -> np.ndarray:
        """Spatial features (T, S) float32 by which rendered frames ask the memory.

        Parameters as ``refine_frames``.
        """
        self._check_masks(masks)
        queries = []
        for frame, _, corner in self._boxes(frames, masks):
            queries.append(self._query(frame, corner)[0].cpu().numpy())
        return np.stack(queries).astype(np.float32)

    @property
    def _needs_masks(self) -> bool:
        return self.settings.crop_px is not None or self.settings.hold_outside_px is not None

    def _check_masks(self, masks: Iterable[np.ndarray] | None) -> None:
        if masks is None and self._needs_masks:
            raise UserError(
                "This refiner works around the face (crop_px, hold_outside_px); "
                "give the masks of the rendered faces with the frames."
            )

    def _steps(self, frames, masks) -> Iterator[_Step]:
        """Windows of frames with the feature that the memory gives for the last of each."""
        recent: deque[np.ndarray] = deque(maxlen=self.settings.window)
        for frame, mask, corner in self._boxes(frames, masks):
            while len(recent) < self.settings.window - 1:
                recent.append(frame)  # the first frame stands for those before it
            recent.append(frame)
            editable = None if mask is None else editable_in_box(mask, corner, self.settings)
            window = np.concatenate(recent, axis=-1)
            yield _Step(window, corner, editable, self._recall(frame, corner))

    def _boxes(
        self, frames, masks
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None, tuple[int, int]]]:
        """Frames with the masks that are needed, and the top and left of their boxes."""
        pairs = (
            ((frame, None) for frame in frames)
            if masks is None
            else zip(frames, masks, strict=True)
        )
        for frame, mask in pairs:
            self._check(frame)
            if mask is None or not self._needs_masks:
                yield frame, None, (0, 0)
            elif self.settings.crop_px is None:
                yield frame, mask, (0, 0)
            else:
                yield frame, mask, face_box(mask, self.settings.box_px)

    def _check(self, frame: np.ndarray) -> None:
        height, width = frame.shape[:2]
        multiple = 2**self.settings.levels
        box = self.settings.box_px
        if self._needs_masks:
            if height < box[0] or width < box[1]:
                raise UserError(
                    f"A frame of {width} x {height} px is smaller than the refiner's box of "
                    f"{box[1]} x {box[0]} px."
                )
            if self.settings.crop_px is None and (height, width) != box:
                raise UserError(
                    f"A frame of {width} x {height} px cannot be refined: without crop_px it must "
                    f"have the refiner's own size, {box[1]} x {box[0]} px."
                )
        elif height % multiple or width % multiple:
            raise UserError(
                f"A frame of {width} x {height} px cannot be refined: its sides must be multiples "
                f"of {multiple} for a network of {self.settings.levels} levels."
            )

    def _boxed(self, image: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
        """A view of the box in which the networks work."""
        if not self._needs_masks:
            return image
        height, width = self.settings.box_px
        return image[corner[0] : corner[0] + height, corner[1] : corner[1] + width]

    @property
    def _device(self) -> torch.device:
        return self.memory.keys.device

    @torch.inference_mode()
    def _recall(self, frame: np.ndarray, corner: tuple[int, int]) -> Tensor:
        """The identity feature (D,) that the memory holds for a rendered frame."""
        if not self.settings.use_memory:
            return self.memory.values.new_zeros(self.memory.values.shape[1])
        return self.memory.read(self._query(frame, corner))[0]

    def _query(self, frame: np.ndarray, corner: tuple[int, int]) -> Tensor:
        """The spatial feature (1, S) of a rendered frame."""
        image = to_tensor(self._boxed(frame, corner)).to(self._device)
        return self.spatial(image[None])

    def _smoothed(self, steps: Iterator[_Step]) -> Iterator[_Step]:
        """The same steps, each feature averaged with those of adjacent frames (section 3.4)."""
        half = self.settings.read_smoothing_frames // 2
        ahead: deque[_Step] = deque(islice(steps, half))
        past: deque[Tensor] = deque(maxlen=half + 1)
        while True:
            ahead.extend(islice(steps, 1))
            if not ahead:
                return
            step = ahead.popleft()
            past.append(step.feature)
            around = torch.stack([*past, *(s.feature for s in islice(ahead, half))])
            yield _Step(step.window, step.corner, step.editable, around.mean(dim=0))

    @torch.inference_mode()
    def _refine(self, group: list[_Step]) -> list[np.ndarray]:
        windows = torch.stack([to_tensor(self._boxed(s.window, s.corner)) for s in group])
        editable = None
        if group[0].editable is not None:
            boxes = np.stack([s.editable for s in group if s.editable is not None])
            editable = torch.from_numpy(boxes)[:, None].to(self._device)
        low = in_bf16(self.settings.precision, self._device)
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=low):
            identity = torch.stack([s.feature for s in group])
            refined = self.generator(windows.to(self._device), identity, editable).image
        pixels = (refined.float() * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        images = []
        for step, image in zip(group, pixels, strict=True):
            whole = step.window[..., -3:].copy()
            self._boxed(whole, step.corner)[:] = image
            images.append(whole)
        return images

    def save(self, path: Path) -> None:
        """Write ``path`` with the suffixes .safetensors (weights) and .json (what they are)."""
        modules = self._modules()
        tensors = {
            f"{part}.{name}": tensor
            for part, module in modules.items()
            for name, tensor in module.state_dict().items()
        }
        description = {
            "format": FORMAT,
            "identity_name": self.identity_name,
            "identity_dim": self.generator.identity_dim,
            "spatial_name": self.spatial.name,
            "settings": self.settings.model_dump(),
        }
        save_weights(path.with_suffix(".safetensors"), tensors, description)

    def _modules(self) -> dict[str, torch.nn.Module]:
        return {"generator": self.generator, "spatial": self.spatial, "memory": self.memory}

    @classmethod
    def load(cls, path: Path, *, device: str = "cpu") -> "Refiner":
        """Read what ``save`` wrote.

        Raises
        ------
        UserError
            A file is missing, damaged, or of another version.
        """
        with saved_weights(path.with_suffix(".safetensors"), "Refiner") as (tensors, description):
            if description["format"] != FORMAT:
                raise UserError(f"Refiner '{path}' is of another version; train it again.")
            settings = RefineSettings(**description["settings"])
            identity_dim = description["identity_dim"]
            refiner = cls(
                Generator(settings, identity_dim=identity_dim),
                SpatialEncoder(description["spatial_name"], dim=settings.spatial_dim),
                empty_memory(settings, identity_dim=identity_dim),
                description["identity_name"],
                settings,
            )
            for part, module in refiner._modules().items():
                start = part + "."
                module.load_state_dict(
                    {k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)}
                )
                module.to(device).eval()
        return refiner
