"""Views for notebooks, built on ipywidgets: they show and change what the package computes."""

from repro.widgets.explorer import CoefficientExplorer, coefficient_explorer

__all__ = ["CoefficientExplorer", "coefficient_explorer"]
