"""Settings of the way from sound to the mouth's landmarks (Song et al. 2020, section 3.2)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class EditSpeechSettings(BaseModel):
    """How sound becomes expression, and what Tables 1 and 2 are measured on.

    The paper gives the window, the losses and the kinds of layers. Their sizes, weights and the
    optimiser's numbers it does not; those here are this package's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Networks
    before_ms: int = Field(800, ge=100, multiple_of=10)
    after_ms: int = Field(200, ge=0, multiple_of=10)
    """Sound that is heard before and after the frame's time."""
    stack: int = Field(4, ge=1)
    """MFCC frames of 10 ms that the recurrent networks take in one step."""
    lstm_dim: int = Field(256, ge=1)
    lstm_layers: int = Field(1, ge=1)
    remove_identity: bool = True
    """Use the audio ID-removing network; without it the baseline of Table 2."""
    components: int = Field(16, ge=1)
    """Matrices W_j, k in Eq. 1."""
    id_lstm_dim: int = Field(128, ge=1)
    regression: Literal["3d", "2d"] = "3d"
    """Expression, or the mouth's landmarks directly (Table 1)."""

    # Losses: Eq. 2 and 3
    lambda_expression: float = Field(1.0, ge=0)
    lambda_shape: float = Field(0.1, ge=0)
    """Of landmarks in pixels of a picture 256 pixels wide."""
    lambda_identity: float = Field(0.1, ge=0)
    identity_batch: int = Field(4, ge=1)
    """Windows of each batch whose speaker is asked for: the encoder costs more than the rest."""
    identity_share: float = Field(1.0, gt=0, le=1)
    """Share of the steps, drawn, that ask; the term weighs as much more in these."""

    # Optimisation
    batch: int = Field(64, ge=1)
    lr: float = Field(1e-3, gt=0)
    steps: int = Field(20_000, ge=1)

    # Beside the paper
    utterance_windows: int = Field(1, ge=1)
    """Windows of each utterance in a batch. With more than one, lambda is the utterance's mean, as
    W is the speaker's and not the second's; 1 takes each window's own."""
    mouth_only: bool = False
    """Measure errors of expression in the loss on mouth and jaw alone: nothing else is shown."""

    # What is learned from, and the tables: people who are performed and not filmed
    people: int = Field(1000, ge=1)
    """Who are learned from."""
    person_s: float = Field(4.0, ge=1.0)
    """Seconds that each of them speaks."""
    held_out_voices: int = Field(4, ge=2, multiple_of=2)
    """Voices that nobody of them has, half of them low."""
    speakers_per_voice: int = Field(3, ge=1)
    """Speakers, the classes of Eq. 2, who share a synthetic voice but not the vocal tract."""
    vocal_tract: float = Field(0.15, ge=0, lt=0.5)
    """Largest warp of the frequency axis by which vocal tracts differ (``motion.data.voice_warp``):
    the sixteen synthetic voices alone differ less than people do."""
    test_people: int = Field(48, ge=1)
    """Who are tested on: as many with voices that were heard, and with held-out ones."""
    classifier_windows: int = Field(4000, ge=10)
    """Seconds of sound from which the speaker classifier's head learns."""
    seeds: int = Field(3, ge=1)
    """Trainings of every row, each with other people and other voices held out."""

    @model_validator(mode="after")
    def _whole_utterances(self) -> "EditSpeechSettings":
        if self.batch % self.utterance_windows:
            raise ValueError("batch must be a multiple of utterance_windows")
        return self
