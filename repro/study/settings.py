"""Settings of the studies: what a profile spends on ablations and on the frame count."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AblationSettings(BaseModel):
    """The ablations (Yi et al. 2020, section 4.2; notebook 07).

    The last settings leave a part out of the full model; only the ablations' own table of
    variants (``repro.study.ablations.VARIANTS``) turns them on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeds: int = Field(3, ge=1)
    """Fine-tunings of every variant; fewer than two measure no noise."""
    test_frames: int = Field(100, ge=10)
    """Frames after those learned from on which the pictures are measured."""
    shown_frames: int = Field(100, ge=10)
    """Frames of the video spoken by the held-out sound that are made for looking at."""
    general_steps: int | None = Field(None, ge=1)
    """Steps of general refinement, of the full model as of every variant; None: the profile's,
    so that the full model is the one of notebook 06."""
    refine_steps: int | None = Field(None, ge=1)
    """The same of fine-tuning."""

    still_head: bool = False
    """Keep the head as in the person's first frame, and show that frame's background."""
    fixed_identity: bool = False
    """Give the generator the mean identity feature of the frames learned from, in place of what
    the memory gives."""


class FrameCountSettings(BaseModel):
    """How many frames of a person to learn from (Yi et al. 2020, appendix A; notebook 10)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counts: tuple[int, ...] = Field((50, 100, 200, 300, 500, 800), min_length=2)
    """Frames learned from; those that a person's clip is too short for are left out
    (``repro.study.frame_count.divided``)."""
    people: int = Field(1, ge=1)
    """The one with the study clip, then others with their shorter clips."""
    seeds: int = Field(2, ge=1)
    """Fine-tunings with each count."""
    test_frames: int = Field(100, ge=10)
    """Frames at the clip's end on which all counts are tested; at most a quarter of the clip."""
    motion_epochs: int | None = Field(None, ge=1)
    """Passes of fine-tuning the mapping over the frames; None: the profile's."""
    refine_steps: int | None = Field(None, ge=1)
    """Steps of fine-tuning the refiner, the same with every count; None: the profile's, where
    ``refine.epochs`` without ``refine.steps`` takes longer the more frames there are."""


class EditTablesSettings(BaseModel):
    """Tables 3 and 5 of Song et al. 2020, and what flicker removal does (notebook 12)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(2, ge=2)
    """Who are learned from, together and each alone."""
    steps: int | None = Field(None, ge=1)
    """Steps of every training in Tables 3 and 5, for each person; None: the profile's
    ``edit_video``."""
    test_frames: int = Field(100, ge=10)
    """Frames of each after those learned from, which are painted."""


class AnimateTablesSettings(BaseModel):
    """Tables 1 and 2 of Chen et al. 2020 and their ablations (notebook 11)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    references: tuple[int, ...] = Field((1, 8, 32), min_length=2)
    """Numbers of references K in Table 2, the fewest first."""
    test_frames: int = Field(100, ge=2)
    """Frames of each held-out person that are made."""
    ablation_seeds: int = Field(2, ge=1)
    """Trainings of every variant."""
    ablation_steps: int | None = Field(None, ge=1)
    """Steps of each, of the full model too; None: the profile's ``animate.steps``."""
    ablation_frames: int = Field(25, ge=2)
    """Frames of each held-out person on which variants are measured."""
    variants: tuple[Literal["projection", "attention", "composition", "warping", "all"], ...] = (
        "projection", "attention", "composition", "warping", "all",
    )  # fmt: skip
    """What is left out in turn; "all" is the paper's baseline."""
