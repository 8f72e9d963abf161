"""Views for notebooks, built on ipywidgets: they show and change what the package computes.

Each is a picture that its controls redraw. It stays as a picture where no front end runs, and a
program moves it as a reader would: by the ``value`` of a control.
"""

from repro.widgets.compare import Comparison, Take, compare
from repro.widgets.corpus import CorpusBrowser, corpus_browser
from repro.widgets.curves import MotionScrubber, motion_scrubber, track_scrubber
from repro.widgets.explorer import CoefficientExplorer, coefficient_explorer
from repro.widgets.histogram import HistogramBrush, histogram_brush
from repro.widgets.memory import MemoryInspector, memory_inspector
from repro.widgets.talk import TalkPanel, talk_panel

__all__ = [
    "CoefficientExplorer",
    "Comparison",
    "CorpusBrowser",
    "HistogramBrush",
    "MemoryInspector",
    "MotionScrubber",
    "Take",
    "TalkPanel",
    "coefficient_explorer",
    "compare",
    "corpus_browser",
    "histogram_brush",
    "memory_inspector",
    "motion_scrubber",
    "talk_panel",
    "track_scrubber",
]
