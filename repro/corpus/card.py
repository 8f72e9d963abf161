"""The data card of a synthetic corpus: what it is, for whom, and what it is not."""

from collections import Counter
from pathlib import Path

import pandas as pd

from repro.corpus.people import draw_person
from repro.corpus.plan import SPLITS
from repro.corpus.synthetic import Corpus
from repro.files import atomic_path

_TEXT = """# Data card: synthetic speaking faces

## What it is

{clips} clips of {people} computer-generated people, and sound alone of voices that none of them
has. Every clip comes with everything that made it: 257 coefficients, landmarks, light, albedo of
every vertex, the material of every pixel, phonemes and words with their times. Made by
`repro.corpus` from seed {seed} with the settings at the end; the same settings give the same clips.

| split | clips | seconds |
| --- | --- | --- |
{splits}

## Who is in it

Nobody. Faces are drawn from the open face model (MakeHuman's CC0 data), voices are eSpeak NG's,
sentences were written for this project.

| trait | people |
| --- | --- |
{traits}

## What it is for

Learning and testing audio-driven talking faces where licensed corpora cannot be had, and where a
result must be held against a known truth. Splits keep people apart: who is in `general` is in no
other split.

## What it is not

* The spread of faces, skin, age, hair and dress is drawn by rule, not sampled from people. Nothing
  about people can be concluded from it, and models trained on it will not serve all people alike.
* Two groups of voices and hair styles are paired with each other. People are not so.
* English only, read sentences, calm moods. Mouth shapes follow published coarticulation rules, head
  motion hand-set ones: both are simpler than life.
* Faces are smooth and hair is coarse beside a photograph. Glasses have no lenses. Age shows in
  lines, spots and grey hair alone, not in the shape of the face or the voice.
* Do not use it to recognise, classify or judge people.

## How it measures

{checks}

## Licence

The clips are CC0, as is the face model. The code that makes them is MIT. Every video says in its
metadata that it is synthetic.

## Settings

```json
{settings}
```
"""


def write_card(corpus: Corpus, path: Path, *, checks: pd.DataFrame) -> Path:
    """Write the data card of a corpus (markdown), with what was measured on it."""
    shown = [name for name in SPLITS if corpus.split(name)]
    splits = (
        f"| {name} | {len(corpus.split(name))} | "
        f"{sum(e.length_s for e in corpus.split(name)):.0f} |"
        for name in shown
    )
    seeds = sorted({e.person for e in corpus.entries if e.person is not None})
    text = _TEXT.format(
        clips=sum(e.person is not None for e in corpus.entries),
        people=len(seeds),
        seed=corpus.settings.seed,
        splits="\n".join(splits),
        traits="\n".join(_traits(seeds)),
        checks=_markdown(checks),
        settings=corpus.settings.model_dump_json(indent=1),
    )
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _traits(seeds: list[int]) -> list[str]:
    """Rows of the table of traits: how many people have each."""
    people = [draw_person(seed) for seed in seeds]
    complexion = ["fair" if p.texture[0] > 0.6 else "dark" if p.texture[0] < -0.2 else "between"
                  for p in people]  # fmt: skip
    counted = {
        "complexion": complexion,
        "age": [f"{10 * int(p.appearance.age_years // 10)}s" for p in people],
        "hair": [p.appearance.hair.style for p in people],
        "place": [p.appearance.room for p in people],
        "glasses": [p.appearance.glasses for p in people],
        "beard": ["yes" if p.appearance.beard > 0.1 else "no" for p in people],
        "voice": [p.voice for p in people],
    }
    return [
        f"| {trait} | {', '.join(f'{n} x {value}' for value, n in Counter(values).most_common())} |"
        for trait, values in counted.items()
    ]


def _markdown(table: pd.DataFrame) -> str:
    rows = [f"| {r.check} | {r.measured:.3g} | {r.wanted} |" for r in table.itertuples()]
    return "\n".join(["| check | measured | wanted |", "| --- | --- | --- |", *rows])
