"""Files written whole or not at all."""

import json

import pytest

from repro.errors import UserError
from repro.files import write_json


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "a.json"
    write_json(path, {"ü": 1})
    write_json(path, {"ü": 2})
    assert json.loads(path.read_text(encoding="utf-8")) == {"ü": 2}
    with pytest.raises(TypeError):
        write_json(path, {"bad": object()})
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


def test_json_that_cannot_be_written_is_a_user_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_json(tmp_path / "file" / "a.json", {})
