"""Settings of the synthetic corpus."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class CorpusSettings(BaseModel):
    """Who speaks, how often and how long, and how large the pictures are.

    As in Yi et al. 2020, a general mapping is trained on many people's short clips and a personal
    one on one longer clip: the personal clip's people are held out of the general ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(6, ge=2)
    """Different people, general and personal together."""
    personal_people: int = Field(2, ge=1)
    """The last ones of them: held out, with one long clip each."""
    general_clips: int = Field(6, ge=1)
    """Clips of each of the other people."""
    clip_s: float = Field(4.0, ge=1.0)
    """Length of a general clip."""
    word_clips: int = Field(0, ge=0)
    """Further clips of each of the other people that show one word, as LRW's: 29 frames."""
    personal_s: float = Field(18.0, ge=1.0)
    """Length of a personal clip: the paper uses 16 s, 300 frames to train and 100 to test."""
    test_s: float = Field(0.0, ge=0.0)
    """Length of a second clip of each personal person, of other sentences; 0 for none."""
    study_s: float = Field(0.0, ge=0.0)
    """Length of a third clip of the first of them, for the frame-count study; 0 for none."""
    driving_clips: int = Field(0, ge=0)
    """Pieces of speech by voices that no person has."""
    driving_s: float = Field(5.0, ge=1.0)
    """Length of each."""
    image_px: int = Field(256, ge=64, multiple_of=2)
    """Side of the square frames."""
    supersample: int = Field(2, ge=1, le=4)
    """Samples per pixel along each axis."""
    focal_over_image: float = Field(2.3, gt=0)
    """Focal length over the side of the frame."""
    noise: float = Field(0.006, ge=0)
    """Standard deviation of the camera's noise, of full scale 1."""
    workers: int = Field(2, ge=1)
    """Processes that film, a clip each."""
    threads: int = Field(1, ge=1)
    """Threads in each that rasterise and shade."""
    seed: int = 0
    """Of everything; corpora of different seeds have no person in common, up to a thousand."""

    @model_validator(mode="after")
    def _some_general_people(self) -> "CorpusSettings":
        if self.personal_people >= self.people:
            raise ValueError("personal_people must be fewer than people: the rest are general")
        return self
