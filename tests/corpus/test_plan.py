"""Who says what in the synthetic corpus."""

from pathlib import Path

import pytest

from repro.corpus.plan import plan, sentences, share
from repro.corpus.settings import CorpusSettings
from repro.errors import UserError
from repro.speech.sentences import CARRIERS, SENTENCES, WORDS
from repro.speech.synthesis import DRIVING_VOICES

SETTINGS = CorpusSettings(
    people=6, personal_people=2, general_clips=3, word_clips=2, personal_s=16, test_s=4,
    study_s=32, driving_clips=4,
)  # fmt: skip


def entries():
    return plan(Path("corpus"), SETTINGS)


def test_every_split_has_its_clips():
    counts = {}
    for entry in entries():
        counts[entry.split] = counts.get(entry.split, 0) + 1
    assert counts == {"general": 4 * (3 + 2), "personal": 2, "test": 2, "study": 1, "driving": 4}


def test_names_and_seeds_are_all_different():
    assert len({e.name for e in entries()}) == len({e.seed for e in entries()}) == len(entries())


def test_more_words_than_there_are_make_no_two_clips_of_one_name():
    many = plan(Path("corpus"), SETTINGS.model_copy(update={"word_clips": 200}))
    assert len({e.stem for e in many}) == len(many)


def test_one_person_says_other_sentences_in_each_clip():
    texts = [e.text for e in entries() if e.person == 5]
    assert len(texts) == len(set(texts)) == 2


def test_more_people_leave_the_clips_of_the_first_as_they_were():
    more = plan(Path("corpus"), SETTINGS.model_copy(update={"people": 9}))
    general = {e for e in entries() if e.split == "general"}
    assert general < set(more)


def test_driving_voices_belong_to_nobody():
    voices = {e.voice for e in entries() if e.person is not None}
    assert not voices & set(DRIVING_VOICES)
    assert {e.voice for e in entries() if e.person is None} <= set(DRIVING_VOICES)


def test_sentences_fill_the_length_of_a_clip():
    assert len(sentences(3, 10.0).split()) >= 30


def test_there_are_hundreds_of_sentences_and_no_two_alike():
    assert len(SENTENCES) > 300 and len(set(SENTENCES)) == len(SENTENCES)


def test_a_carrier_does_not_hold_another_of_the_words():
    for carrier in CARRIERS:
        plain = carrier.lower().replace(".", "").split()
        assert plain.count("{}") == 1 and not set(plain) & set(WORDS)


def test_shares_are_disjoint_together_everything_and_about_alike():
    every = entries()
    shares = [share(every, k, 4) for k in (1, 2, 3, 4)]
    assert sum(shares, ()) == every
    lengths = [sum(e.length_s for e in own) for own in shares]
    longest = max(e.length_s for e in every)
    assert max(lengths) - min(lengths) <= 2 * longest


def test_more_shares_than_clips_leave_some_empty():
    every = entries()[:3]
    shares = [share(every, k, 50) for k in range(1, 51)]
    assert sorted(map(len, shares))[-4:] == [0, 1, 1, 1]


def test_a_share_beyond_the_last_is_refused():
    with pytest.raises(UserError, match=r"9/8 must be between 1/8 and 8/8"):
        share(entries(), 9, 8)
