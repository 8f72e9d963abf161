# The graph of the reproduction: one rule per notebook, run by papermill (repro/execute.py).
#
#   repro run --profile demo            what people call; it calls this
#   snakemake --cores 2 all             the same, by hand
#   snakemake --cores 2 notebook_03     only up to one notebook
#   snakemake --config corpus_shares=8 --jobs 8 --executor slurm all
#                                       the corpus made in eight shares, each a job of its own
#
# A notebook runs again when it, its profile, those of its parameters that it depends on, the sources
# of its stage or an earlier notebook changed. Inside, finished stages are kept by content (repro/store.py).

import json
import sys
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(workflow.basedir)
PROFILE = str(config.get("profile", "demo"))
CORPUS = str(config.get("corpus", "synthetic"))
SEED = int(config.get("seed", 0))
OVERRIDES = dict(config.get("overrides") or {})
UNTIL = config.get("until")
SHARES = int(config.get("corpus_shares", 1))
COMMAND = list(config.get("command") or ["snakemake"])
RESULTS = Path(config.get("results_dir", "results")).resolve()
ROOT = f"{RESULTS}/{Path(PROFILE).stem}/{Path(CORPUS).name}"
REFERENCE = HERE / "results" / "reference" / f"{Path(PROFILE).stem}.json"
PROFILE_FILE = PROFILE if PROFILE.endswith(".toml") else f"{HERE}/repro/profiles/{PROFILE}.toml"

# notebook: the notebooks it needs, and the modules and packages it adds to theirs
STAGES = {
    "01_data_preparation": ([], ["face", "speech", "render", "corpus", "evaluate"]),
    "02_reconstruction": (["01_data_preparation"], ["reconstruct", "fabric", "checkpoint", "figures", "widgets"]),
    "03_general_training": (
        ["02_reconstruction"],
        ["motion", "training", "adversarial", "weights", "refine", "study", "output", "label", "credentials"],
    ),
    "04_fine_tuning": (["03_general_training"], []),
    "05_rendering": (["04_fine_tuning"], ["perform"]),
    "06_gan_refinement": (["05_rendering"], []),
    # beside 06: it trains its own, and where the full model is 06's it waits for that (repro/store.py)
    "07_ablations": (["05_rendering"], []),
    "08_tables_1_2": (["06_gan_refinement"], ["baselines", "talk_photo"]),
    "09_head_pose_hs": (["04_fine_tuning"], []),
    "10_frame_count": (["06_gan_refinement"], []),
    "12_everybodys_talkin": (["04_fine_tuning"], ["edit", "perform"]),
    "11_rhythmic_head_motion": (["04_fine_tuning"], ["edit", "animate"]),
    "13_compare": (
        ["06_gan_refinement", "11_rhythmic_head_motion", "12_everybodys_talkin"],
        ["edit", "animate", "perform", "baselines", "talk_photo"],
    ),
    "00_quickstart": (
        ["06_gan_refinement"],
        ["talk", "talk_animate", "talk_edit", "talk_photo", "edit", "animate"],
    ),
}
EVERY_STAGE = ["config", "equations", "execute", "frames", "notebook", "page", "pipeline", "processes"]


def needed(stage):
    """All notebooks that run before a notebook."""
    before, _ = STAGES[stage]
    return set(before).union(*map(needed, before))


def wanted():
    """The notebooks of this run: all, or the one that is asked for and those before it."""
    asked = [stage for stage in STAGES if UNTIL in (None, stage[:2])]
    return set(asked).union(*map(needed, asked))


def waiting(stage):
    """How many notebooks cannot begin before a notebook has ended: those that hold up most go first."""
    return sum(stage in needed(other) for other in wanted())


def cores_of(stage):
    """All for a notebook that no other can run beside; else two run side by side, on half each."""
    alone = len(needed(stage)) + waiting(stage) == len(wanted()) - 1
    return workflow.cores if alone else max(1, workflow.cores // 2)


def marker(stage):
    return f"{ROOT}/{stage}.json"


def sources(parts):
    package = HERE / "repro"
    found = [
        path
        for part in EVERY_STAGE + parts
        for path in (*package.glob(f"{part}.py"), *package.glob(f"{part}/*.py"))
    ]
    return sorted(map(str, found))


# Settings that a notebook's results do not depend on: overriding one of them leaves it as it is.
PERSONAL_MOTION = ["motion.fine_tune_*", "motion.members", "motion.ridge_share", "motion.keep_perceptron"]
REFINE = ["refine.*", "refine_general.*"]
LATER = [*REFINE, "talk.*"]
IGNORED = {
    "01_data_preparation": ["render.*", *LATER, *PERSONAL_MOTION],
    "02_reconstruction": LATER + PERSONAL_MOTION,
    "03_general_training": ["render.*", *LATER, *PERSONAL_MOTION],
    "04_fine_tuning": ["render.*", *REFINE],
    "05_rendering": REFINE,
    "09_head_pose_hs": ["render.*", *REFINE],
    "11_rhythmic_head_motion": ["render.*", *LATER],
    "12_everybodys_talkin": ["render.*", *REFINE],
}
OWN = {
    "07_ablations": "ablations.*",
    "08_tables_1_2": "baselines.*",
    "10_frame_count": "frame_count.*",
    "11_rhythmic_head_motion": "animate*",
    "12_everybodys_talkin": "edit_*",
}
COMPARED = ["11_rhythmic_head_motion", "12_everybodys_talkin"]


def ignored_by(stage):
    """Patterns of the settings that a notebook does not depend on."""
    own = [stage, *(COMPARED if stage == "13_compare" else [])]
    return IGNORED.get(stage, []) + [mine for other, mine in OWN.items() if other not in own]


def parameters(ignored=()):
    """The cell ``parameters`` of a notebook, or what the manifest says of the run."""
    overrides = {
        name: value
        for name, value in OVERRIDES.items()
        if not any(fnmatch(name, pattern) for pattern in ignored)
    }
    return json.dumps(
        {
            "profile": PROFILE,
            "corpus": CORPUS,
            "results_dir": str(RESULTS),
            "seed": SEED,
            "overrides": overrides,
        }
    )


rule all:
    input:
        f"{ROOT}/report.html",
        f"{ROOT}/manifest.json",


rule corpus_share:
    input:
        profile=PROFILE_FILE,
        sources=sources(["corpus", "speech"]),
    output:
        touch(f"{ROOT}/corpus/share_{{k}}_of_{SHARES}.done"),
    threads: workflow.cores
    run:
        from repro import pipeline
        from repro.config import load_profile

        ws = pipeline.Workspace.open(Path(ROOT), load_profile(PROFILE, OVERRIDES), seed=SEED)
        pipeline.corpus(ws, part=(int(wildcards.k), SHARES))


def shares(stage):
    """What makes the corpus before the notebook that would else make all of it."""
    if stage[:2] != "01" or CORPUS != "synthetic" or SHARES == 1:
        return []
    return [f"{ROOT}/corpus/share_{k}_of_{SHARES}.done" for k in range(1, SHARES + 1)]


rule report:
    input:
        [marker(stage) for stage in STAGES],
    output:
        f"{ROOT}/manifest.json",
        f"{ROOT}/report.html",
    params:
        parameters=parameters(),
    run:
        from repro.report import write_report

        write_report(
            Path(ROOT),
            parameters=json.loads(params.parameters),
            seed=SEED,
            command=COMMAND,
            reference=REFERENCE,
        )


for stage, (before, parts) in STAGES.items():

    rule:
        name:
            f"notebook_{stage[:2]}"
        input:
            notebook=f"{HERE}/notebooks/{stage}.ipynb",
            profile=PROFILE_FILE,
            before=[marker(earlier) for earlier in before],
            shares=shares(stage),
            sources=sources(parts),
        output:
            marker=marker(stage),
            notebook=f"{ROOT}/notebooks/{stage}.ipynb",
            page=f"{ROOT}/notebooks/{stage}.html",
        params:
            python=sys.executable,
            parameters=parameters(ignored_by(stage)),
        threads: cores_of(stage)
        priority: waiting(stage)
        message:
            f"notebook {stage}"
        shell:
            "{params.python:q} -m repro.execute {input.notebook:q} {output.notebook:q}"
            " --parameters {params.parameters:q}"
