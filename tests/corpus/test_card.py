"""The data card."""

import pandas as pd

from repro.corpus.card import write_card


def test_the_card_counts_clips_people_and_sound_alone_apart(corpus, tmp_path):
    checks = pd.DataFrame([{"check": "frames", "measured": 0.5, "wanted": "1"}])
    text = write_card(corpus, tmp_path / "card.md", checks=checks).read_text(encoding="utf-8")
    assert "4 clips of 2 computer-generated people" in text
    assert "| general | 2 | 2 |" in text and "| driving | 1 | 1 |" in text
    assert "| frames | 0.5 | 1 |" in text
    assert '"image_px": 64' in text
