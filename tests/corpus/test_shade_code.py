"""The shader's machine code on disk."""

import ast
import sys
from pathlib import Path

import numba
import pytest

import repro.corpus
from repro.corpus import shade_code


@pytest.fixture
def halved(tmp_path, monkeypatch):
    """Compiles one and the same stored function anew, as another process would."""
    source = tmp_path / "halving.py"
    source.write_text(
        "from repro.corpus.shade_code import stored\n\n\n@stored\ndef half(x):\n    return x / 2\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))

    def compiled():
        sys.modules.pop("halving", None)
        from halving import half

        assert half(3.0) == 1.5
        return half

    yield compiled
    sys.modules.pop("halving", None)


def test_machine_code_is_found_again_until_a_source_of_the_shader_changes(halved, monkeypatch):
    assert not halved().stats.cache_hits
    assert halved().stats.cache_hits
    monkeypatch.setattr(shade_code, "sources_hash", lambda: "changed")
    assert not halved().stats.cache_hits
    assert halved().stats.cache_hits


def test_every_file_with_functions_or_constants_of_the_shader_counts():
    folder = Path(repro.corpus.__file__).parent
    counted = {path for name in shade_code.SOURCES for path in folder.glob(name)}
    compiled = {path for path in folder.glob("*.py") if "numba.njit" in path.read_text()}
    imports = [
        node
        for path in compiled
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
    ]
    constants = {
        folder / f"{node.module.removeprefix('repro.corpus.')}.py"
        for node in imports
        if node.module.startswith("repro.corpus.") and any(n.name.isupper() for n in node.names)
    }
    assert compiled <= counted
    assert folder / "shadow.py" in constants and constants <= counted
