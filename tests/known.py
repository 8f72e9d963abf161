"""People whose motion is made up."""

from dataclasses import dataclass

from repro.motion.motion import Motion
from repro.pipeline.targets import Target


@dataclass(frozen=True)
class Known(Target):
    """A target whose motion is not read from its track."""

    seen: Motion | None = None

    def __len__(self):
        return len(self.seen)

    @property
    def motion(self):
        return self.seen
