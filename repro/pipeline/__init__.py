"""The stages of Yi et al. 2020 in order, each kept under the hash of its inputs and settings.

Those of Song et al. 2020 begin with ``edit_``, those of Chen et al. 2020 with ``animate``; what
they share is one stage.

Notebooks, ``repro run`` and ``repro talk`` call the same functions. A stage that was made before
from the same inputs and settings is read, not made again; one that was cut off leaves nothing.
"""

from repro.pipeline.animation import (
    Ablations,
    Learners,
    animate_ablations,
    animate_people,
    animate_speech,
    animated,
    animator,
    footage,
    talking_clip,
)
from repro.pipeline.baselines import atvg, you_said_that
from repro.pipeline.editing import (
    Mouth,
    edit_completer,
    edit_mouth,
    edit_speech_tables,
    edit_translator,
    edit_video_tables,
)
from repro.pipeline.motion import general_motion, personal_motion
from repro.pipeline.network import coefficient_network
from repro.pipeline.refinement import general_refiner, personal_refiner
from repro.pipeline.rendering import pairs, renderer
from repro.pipeline.targets import (
    HELD_OUT,
    Target,
    corpus,
    further_targets,
    general_targets,
    personal_targets,
    recordings,
    study_targets,
    target,
    videos,
)
from repro.pipeline.workspace import Workspace, source_digest
from repro.processes import one_thread

__all__ = [
    "HELD_OUT",
    "Ablations",
    "Learners",
    "Mouth",
    "Target",
    "Workspace",
    "animate_ablations",
    "animate_people",
    "animate_speech",
    "animated",
    "animator",
    "atvg",
    "coefficient_network",
    "corpus",
    "edit_completer",
    "edit_mouth",
    "edit_speech_tables",
    "edit_translator",
    "edit_video_tables",
    "footage",
    "further_targets",
    "general_motion",
    "general_refiner",
    "general_targets",
    "one_thread",
    "pairs",
    "personal_motion",
    "personal_refiner",
    "personal_targets",
    "recordings",
    "renderer",
    "source_digest",
    "study_targets",
    "talking_clip",
    "target",
    "videos",
    "you_said_that",
]
