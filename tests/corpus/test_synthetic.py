"""The synthetic corpus on disk: planned, made, made again, shared out."""

import pytest
from pydantic import ValidationError

from repro.corpus.settings import CorpusSettings
from repro.corpus.synthetic import load_corpus, make_corpus
from repro.errors import UserError


def test_corpus_has_the_planned_clips_with_held_out_people(corpus):
    counts = {split: len(corpus.split(split)) for split in ("general", "personal", "test")}
    assert counts == {"general": 2, "personal": 1, "test": 1}
    general = {e.person for e in corpus.split("general")}
    assert not general & {e.person for e in corpus.split("personal")}


def test_a_second_run_keeps_what_is_there(corpus):
    before = [e.note.stat().st_mtime_ns for e in corpus.entries]
    seen = []
    again = make_corpus(corpus.folder, corpus.settings, progress=lambda *step: seen.append(step))
    assert [e.note.stat().st_mtime_ns for e in again.entries] == before
    assert seen == []


def test_an_interrupted_clip_is_made_again_to_the_byte(corpus):
    entry = corpus.entries[0]
    files = (entry.video, entry.truth, entry.masks)
    before = [path.read_bytes() for path in files]
    entry.note.unlink()
    seen = []
    make_corpus(corpus.folder, corpus.settings, progress=lambda *step: seen.append(step))
    assert seen == [(len(corpus.entries), len(corpus.entries), entry.name)]
    assert [path.read_bytes() for path in files] == before


def test_processes_side_by_side_make_the_same_clips(corpus, tmp_path):
    other = make_corpus(
        tmp_path, corpus.settings.model_copy(update={"workers": 2}), splits=("general", "driving")
    )
    assert other.split("personal") and not other.split("personal")[0].note.exists()
    for old, new in zip(corpus.split("general"), other.split("general"), strict=True):
        assert new.truth.read_bytes() == old.truth.read_bytes()
        assert new.video.read_bytes() == old.video.read_bytes()


def test_shares_made_apart_are_the_same_corpus(corpus, tmp_path):
    settings = corpus.settings.model_copy(update={"threads": 2})
    seen = []
    for part in ((2, 2), (1, 2)):
        make_corpus(tmp_path, settings, part=part, progress=lambda *step: seen.append(step))
    assert len(seen) == len(corpus.entries)
    assert {done for done, _, _ in seen} <= set(range(1, len(corpus.entries)))
    for old, new in zip(corpus.entries, load_corpus(tmp_path).entries, strict=True):
        if old.split != "driving":
            assert new.video.read_bytes() == old.video.read_bytes()
            assert new.truth.read_bytes() == old.truth.read_bytes()


def test_other_settings_in_the_same_folder_are_refused(corpus):
    with pytest.raises(UserError, match=r"clip_s=1\.0, not 3\.0"):
        make_corpus(corpus.folder, corpus.settings.model_copy(update={"clip_s": 3.0}))


def test_no_unfinished_files_are_left(corpus):
    planned = {"corpus.json"}
    for entry in corpus.entries:
        filmed = (entry.video, entry.truth, entry.masks)
        made = (entry.sound,) if entry.split == "driving" else filmed
        planned |= {path.name for path in (*made, entry.note)}
    assert {path.name for path in corpus.folder.iterdir()} == planned


def test_a_missing_corpus_is_named(tmp_path):
    with pytest.raises(UserError, match="no synthetic corpus"):
        load_corpus(tmp_path)


def test_personal_people_must_leave_general_ones():
    with pytest.raises(ValidationError, match="fewer than people"):
        CorpusSettings(people=2, personal_people=2)
