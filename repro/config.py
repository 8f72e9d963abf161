"""Profiles: the settings of every stage, read from TOML and checked.

The defaults of each stage's settings are the paper's; a profile says only what differs. Values
can be overridden one by one with dotted names, such as ``{"refine.steps": 100}``.
"""

import difflib
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from repro.animate.settings import AnimateSettings
from repro.animate.speech_settings import AnimateSpeechSettings
from repro.baselines.settings import BaselineSettings
from repro.corpus.settings import CorpusSettings
from repro.edit.speech_settings import EditSpeechSettings
from repro.edit.video_settings import EditVideoSettings
from repro.errors import UserError
from repro.motion.person import EyesMethod, MouthMethod, PoseMethod
from repro.motion.settings import MotionSettings
from repro.reconstruct.network_settings import ReconstructNetworkSettings
from repro.reconstruct.settings import ReconstructSettings
from repro.refine.settings import RefineSettings
from repro.render.face import RenderSettings
from repro.study.settings import (
    AblationSettings,
    AnimateTablesSettings,
    EditTablesSettings,
    FrameCountSettings,
)

SYNTHETIC = "synthetic"
"""The corpus that the package makes itself; any other name is a folder of videos."""

_SAME_NETWORKS = (
    "image_px",
    "window",
    "ngf",
    "levels",
    "ndf",
    "discriminator_layers",
    "spatial_dim",
    "use_memory",
    "crop_px",
    "colour_residual",
    "full_resolution_channels",
)
"""What a refiner and the one it starts from must share."""


EditMouth = Literal["translation", "mapping"]


class TalkSettings(BaseModel):
    """The main job, ``repro talk``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: int = Field(300, ge=50)
    """Frames of the target video that are learned from; the paper takes its first 300."""
    pose: PoseMethod = "paper"
    """Head pose: the regression of Eq. 1, or (beside the paper) the person's own motion retold."""
    eyes: EyesMethod = "paper"
    """Eyes and brows: as regressed, or (beside the paper) with the person's blinks, or retold."""
    mouth: MouthMethod = "paper"
    """Mouth: as regressed, or (beside the paper) opened as far as the person's own."""
    edit_mouth: EditMouth = "translation"
    """Of Song et al.'s system, who moves the mouth: their translation network, or (beside the
    paper) the first system's mapping, which is personal where the video has sound."""
    visible_mark: bool = True
    """Draw a small mark that says the video is generated."""


class Profile(BaseModel):
    """Settings of every stage.

    ``refine_general`` starts from ``refine``: a profile names only what differs when the refiner
    is trained on many people, before it is fine-tuned to one with ``refine``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    corpus: CorpusSettings = CorpusSettings()
    reconstruct: ReconstructSettings = ReconstructSettings()
    reconstruct_network: ReconstructNetworkSettings = ReconstructNetworkSettings()
    motion: MotionSettings = MotionSettings()
    render: RenderSettings = RenderSettings()
    refine: RefineSettings = RefineSettings()
    refine_general: RefineSettings = RefineSettings(lambda_attention=0.1)
    talk: TalkSettings = TalkSettings()
    edit_video: EditVideoSettings = EditVideoSettings()
    baselines: BaselineSettings = BaselineSettings()
    ablations: AblationSettings = AblationSettings()
    frame_count: FrameCountSettings = FrameCountSettings()
    edit_speech: EditSpeechSettings = EditSpeechSettings()
    edit_tables: EditTablesSettings = EditTablesSettings()
    animate_speech: AnimateSpeechSettings = AnimateSpeechSettings()
    animate: AnimateSettings = AnimateSettings()
    animate_tables: AnimateTablesSettings = AnimateTablesSettings()

    @model_validator(mode="before")
    @classmethod
    def _general_starts_from_refine(cls, values: Any) -> Any:
        """Fill what [refine_general] leaves out with [refine]'s values."""
        if not isinstance(values, dict):
            return values
        refine, general = values.get("refine", {}), values.get("refine_general", {})
        if not (isinstance(refine, dict) and isinstance(general, dict)):
            return values
        return {**values, "refine_general": {"lambda_attention": 0.1, **refine, **general}}

    @model_validator(mode="after")
    def _one_refiner(self) -> "Profile":
        different = [
            name
            for name in _SAME_NETWORKS
            if getattr(self.refine, name) != getattr(self.refine_general, name)
        ]
        if different:
            raise ValueError(
                f"refine_general and refine must agree in {', '.join(different)}: "
                "one is trained further as the other"
            )
        return self


_DEFAULTS = Profile(name="defaults")


def profile_names() -> tuple[str, ...]:
    """The profiles that come with the package."""
    folder = files("repro") / "profiles"
    return tuple(sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".toml")))


def load_profile(name: str, overrides: Mapping[str, object] | None = None) -> Profile:
    """Read a profile.

    Parameters
    ----------
    name : one of ``profile_names()``, or the path of a TOML file of one's own
    overrides : values by dotted name, ``section.setting``

    Raises
    ------
    UserError
        No such profile, no such setting, or a value that does not fit; the sentence names it and
        the choices.
    """
    values: dict[str, Any] = {"name": Path(name).stem, **_read(name)}
    for key, value in (overrides or {}).items():
        section, dot, setting = key.partition(".")
        if not dot or section not in _sections():
            raise UserError(
                f"Override '{key}' must be SECTION.SETTING with a section of "
                f"{', '.join(_sections())}."
            )
        values.setdefault(section, {})[setting] = value
    try:
        return Profile.model_validate(values)
    except ValidationError as error:
        raise UserError(f"Profile '{name}': {_sentence(error)}") from error


def parse_overrides(texts: list[str]) -> dict[str, object]:
    """Overrides from texts such as ``refine.steps=100``; values are TOML, or else plain text.

    Raises
    ------
    UserError
        A text without ``=``.
    """
    overrides: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"'{text}' must be SECTION.SETTING=VALUE, such as refine.steps=100.")
        try:
            overrides[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            overrides[key.strip()] = value.strip()
    return overrides


def _sections() -> list[str]:
    return [name for name in Profile.model_fields if name != "name"]


def _read(name: str) -> dict[str, Any]:
    if name.endswith(".toml"):
        source = Path(name)
        if not source.is_file():
            raise UserError(f"Profile '{name}': no such file.")
        text = source.read_text(encoding="utf-8")
    elif name in profile_names():
        text = (files("repro") / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    else:
        raise UserError(
            f"There is no profile '{name}'; choose one of {', '.join(profile_names())}, "
            "or give the path of a .toml file."
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"Profile '{name}' is not valid TOML: {error}.") from error


def _sentence(error: ValidationError) -> str:
    """What is wrong first, in words."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        names = list(type(getattr(_DEFAULTS, where[0])).model_fields if where[1:] else _sections())
        near = difflib.get_close_matches(where[-1], names, n=1)
        hint = f" did you mean '{near[0]}'?" if near else ""
        inside = f"[{'.'.join(where[:-1])}]" if where[:-1] else "the profile"
        return f"no setting '{where[-1]}' in {inside};{hint} The choices are {', '.join(names)}."
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    if first["type"] == "value_error":
        return f"[{'.'.join(where)}] {message}." if where else f"{message}."
    return f"{'.'.join(where)} = {first['input']!r} does not fit ({message})."
