"""Choose a person and a sentence, press a button, watch the video: ``repro.talk`` to be clicked."""

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path

import cv2
import ipywidgets as ui
import numpy as np
import soundfile

from repro import SAMPLE_RATE
from repro.corpus.clip import open_clip
from repro.errors import UserError
from repro.frames import evenly
from repro.speech.synthesis import VOICES, speak
from repro.talk_photo import is_photo
from repro.widgets.picture import Pictured, above, beside, resized

Record = dict[str, object]
Make = Callable[[Path, Path, Path], Record]
"""Video, sound and output in, the output's record out: ``repro.talk.talk`` with its settings."""

_STILLS, _STILL_PX = 6, 150


class TalkPanel(Pictured, ui.VBox):
    """A form over ``repro.talk``: ``say`` is what its button does.

    ``person`` chooses a video, or ``own_video`` is the path of one; ``sentence`` is spoken by
    ``voice``, or ``own_sound`` is the path of a recording. ``record`` is what the last video's
    record says; None before there is one.
    """

    def __init__(self, people: Mapping[str, Path], make: Make, folder: Path) -> None:
        wide = {"layout": {"width": "560px"}, "style": {"description_width": "110px"}}
        self._people, self._make, self._folder = dict(people), make, folder
        self.record: Record | None = None
        self.person = ui.Dropdown(options=list(people), description="person", **wide)
        self.own_video = ui.Text(
            description="or a video", placeholder="path of your own video or photo", **wide
        )
        self.sentence = ui.Textarea(description="says", rows=2, **wide)
        self.voice = ui.Dropdown(options=VOICES, value="en-us+f3", description="voice", **wide)
        self.own_sound = ui.Text(
            description="or a recording", placeholder="path of a wav or any other file", **wide
        )
        self.run = ui.Button(description="make the video", button_style="primary", icon="play")
        self.status = ui.HTML()
        self.printed = ui.Output()
        self.image = ui.Image(format="png")
        self.video = ui.Video(format="mp4", autoplay=False, loop=False, width=384)
        self.video.layout.display = "none"
        self.run.on_click(lambda _: self._clicked())
        for choice in (self.person, self.own_video):
            choice.observe(lambda _: self._look(), "value")
        form = [self.person, self.own_video, self.sentence, self.voice, self.own_sound]
        super().__init__(
            [*form, ui.HBox([self.run, self.status]), self.printed, self.image, self.video]
        )
        self.draw()

    @property
    def target(self) -> Path:
        """The video of who is to speak."""
        own = self.own_video.value.strip()
        return Path(own).expanduser() if own else self._people[self.person.value]

    @property
    def sound(self) -> Path:
        """What is said: the recording, or where the spoken sentence goes."""
        own = self.own_sound.value.strip()
        return Path(own).expanduser() if own else self._folder / "quickstart.wav"

    @property
    def out(self) -> Path:
        """Where the video goes."""
        return self._folder / "quickstart.mp4"

    def render(self) -> np.ndarray:
        """Stills of the person and, under them, of what was made, (H, W, 3) uint8."""
        files = [self.target] + ([self.out] if self.record is not None else [])
        rows = [_strip(file) for file in files]
        return above(rows)

    def say(self) -> Record:
        """Make the video and show it; its record.

        Raises
        ------
        UserError
            A file that cannot be used, or nothing to say.
        """
        self.record = self._make(self.target, self._sound(), self.out)
        self.video.value = self.out.read_bytes()
        self.video.layout.display = ""
        self.draw()
        return self.record

    def _sound(self) -> Path:
        """The recording, or the sentence as spoken."""
        if self.own_sound.value.strip():
            return self.sound
        if not self.sentence.value.strip():
            raise UserError("There is nothing to say: write a sentence, or give a recording.")
        spoken = speak(self.sentence.value, voice=self.voice.value)
        soundfile.write(self.sound, spoken.audio, SAMPLE_RATE)
        return self.sound

    def _look(self) -> None:
        """Show another person, where the path is that of a video or photo by now."""
        if self.target.is_file():
            self.record = None
            self.video.layout.display = "none"
            self._guarded(self.draw)

    def _clicked(self) -> None:
        self.run.disabled = True
        self.status.value = "at work: a minute or more"
        try:
            with self.printed:
                self._guarded(self.say)
                self.printed.clear_output()  # bars that have run out; a traceback stays
        finally:
            self.run.disabled = False

    def _guarded(self, act: Callable[[], object]) -> None:
        """Do something; what the user can put right is said beside the button."""
        said = ""
        try:
            act()
        except UserError as error:
            said = f"<span style='color:#b00'>{escape(str(error))}</span>"
        finally:
            self.status.value = said


def talk_panel(people: Mapping[str, Path], make: Make, folder: Path) -> TalkPanel:
    """A form to make people speak.

    Parameters
    ----------
    people : videos to choose from, by name
    make : called with video, sound and output; such as ``repro.talk.talk`` with a profile
    folder : where the sound and the video go
    """
    return TalkPanel(people, make, folder)


def _strip(video: Path) -> np.ndarray:
    """Stills spread over a clip, in a row; a photo alone."""
    if is_photo(video):
        picture = cv2.imread(str(video))
        if picture is None:
            raise UserError(f"Photo '{video}' cannot be read; is it a JPEG or PNG?")
        return resized(picture[..., ::-1], _STILL_PX)
    clip = open_clip(video)
    wanted = set(evenly(_STILLS, clip.frames).tolist())
    stills = [resized(f, _STILL_PX) for t, f in enumerate(clip.read()) if t in wanted]
    return beside(stills, gap=4)
