"""The store of finished stages."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import UserError
from repro.motion.settings import MotionSettings
from repro.store import Store, canonical, digest, file_hash


def test_a_stage_is_made_once_for_the_same_key(tmp_path):
    made = []

    def make(folder):
        made.append(folder)
        (folder / "result.txt").write_text("7")

    store = Store(tmp_path)
    first = store.stage("fit", {"seed": 1}, make)
    second = store.stage("fit", {"seed": 1}, make)
    assert first == second
    assert len(made) == 1
    assert (first / "result.txt").read_text() == "7"


def test_another_key_or_version_is_another_stage(tmp_path):
    store = Store(tmp_path)
    folders = {
        store.stage("fit", {"seed": 1}, lambda _: None),
        store.stage("fit", {"seed": 2}, lambda _: None),
        store.stage("fit", {"seed": 1}, lambda _: None, version=2),
    }
    assert len(folders) == 3


def test_a_finished_stage_says_what_it_was_made_from(tmp_path):
    folder = Store(tmp_path).stage("fit", {"settings": MotionSettings(batch=3)}, lambda _: None)
    assert '"batch": 3' in (folder / "key.json").read_text()


def test_a_stage_that_fails_leaves_nothing_and_can_be_made_again(tmp_path):
    store = Store(tmp_path)

    def fail(folder):
        (folder / "half.txt").write_text("half")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        store.stage("fit", {}, fail)
    assert store.find("fit", {}) is None
    assert list((tmp_path / "fit").iterdir()) == []
    assert store.stage("fit", {}, lambda _: None).is_dir()


def test_a_stage_cut_off_by_sigkill_is_made_anew(tmp_path):
    script = textwrap.dedent(
        f"""
        import os, signal
        from pathlib import Path
        from repro.store import Store

        def make(folder):
            (folder / "half.txt").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)

        Store(Path({str(tmp_path)!r})).stage("fit", {{}}, make)
        """
    )
    killed = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    store = Store(tmp_path)
    assert store.find("fit", {}) is None
    folder = store.stage("fit", {}, lambda f: (f / "whole.txt").write_text("whole") and None)
    assert sorted(os.listdir(folder)) == ["key.json", "whole.txt"]
    assert os.listdir(tmp_path / "fit") == [folder.name]


def test_two_makers_of_one_stage_make_it_once(tmp_path):
    store, made = Store(tmp_path), []
    started, go_on = threading.Event(), threading.Event()

    def make(folder):
        made.append(folder)
        started.set()
        assert go_on.wait(10)

    threads = [threading.Thread(target=store.stage, args=("fit", {}, make)) for _ in range(2)]
    threads[0].start()
    assert started.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(made) == 1
    assert store.find("fit", {}) is not None


def test_a_store_that_cannot_be_written_is_a_user_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written"):
        Store(tmp_path / "file").stage("fit", {}, lambda _: None)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), plain, max_size=4))
def test_the_digest_does_not_depend_on_the_order_of_names(key):
    assert digest(dict(reversed(key.items()))) == digest(key)


def test_keys_with_what_has_no_one_spelling_are_refused(tmp_path):
    with pytest.raises(TypeError, match=r"(Posix|Windows)Path"):
        canonical({"clip": tmp_path})
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"lr": float("nan")})


def test_file_hash_is_sha256_of_the_content(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_hash(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    with pytest.raises(UserError, match=r"missing\.bin"):
        file_hash(tmp_path / "missing.bin")
