"""Equations as pictures, by matplotlib: a page of them needs no network and no typesetter."""

import io
import re
from base64 import b64encode
from html import escape

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

_TAG = re.compile(r"\\tag\{([^}]*)\}")
_BARE = re.compile(r"\\(mathcal|mathbb|mathbf|mathrm|mathit)\s+(\w)")
"""``\\mathcal L``, which TeX reads but mathtext only as ``\\mathcal{L}``."""
_SIZE = re.compile(r"\\[bB]igg?[lr]?(?![a-zA-Z])")
"""Sizes of brackets, which mathtext does not know."""
_POINTS, _POINTS_APART = 11, 13
_FONT = "cm"


def equation_html(tex: str, *, apart: bool = False) -> str:
    r"""TeX of one equation, without dollar signs, as HTML of its own.

    Parameters
    ----------
    tex : what matplotlib's mathtext understands, and ``\tag``; anything else is shown as it stands
    apart : on a line of its own, with its number at the right, not within one
    """
    number = _TAG.search(tex)
    plain = " ".join(_SIZE.sub("", _BARE.sub(r"\\\1{\2}", _TAG.sub("", tex))).split())
    try:
        picture = _picture(plain, _POINTS_APART if apart else _POINTS)
    except ValueError:  # a command that mathtext does not know
        return f"<code>{escape(tex)}</code>"
    if not apart:
        return picture
    label = f"<span style='float:right'>({escape(number[1])})</span>" if number else ""
    return f"<div style='text-align:center; margin:1em 0'>{label}{picture}</div>"


def _picture(tex: str, points: float) -> str:
    """An ``img`` that stands on the line as its letters do, and reads as its TeX."""
    font = FontProperties(size=points, math_fontfamily=_FONT)
    width, height, depth, *_ = MathTextParser("path").parse(f"${tex}$", dpi=72, prop=font)
    figure = Figure(figsize=(width / 72, height / 72))
    figure.text(0, depth / height, f"${tex}$", fontproperties=font)
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "equation"}):
        figure.savefig(file, dpi=72, format="svg", transparent=True, metadata={"Date": None})
    data = b64encode(file.getvalue()).decode("ascii")
    return (
        f'<img alt="{escape(tex, quote=True)}" src="data:image/svg+xml;base64,{data}" '
        f'style="display:inline; vertical-align:-{depth:.1f}pt; max-width:100%">'
    )
