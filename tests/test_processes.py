"""Work in processes of its own."""

import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repro.errors import UserError
from repro.processes import beside_others, side_by_side


def square(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def refuse(number: int) -> int:
    if number == 2:
        raise UserError(f"{number} is refused.")
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks(workers):
    tasks = [(n,) for n in (3, 1, 2)]
    squares, processes = zip(*side_by_side(square, tasks, workers=workers), strict=True)
    assert squares == (9, 1, 4)
    assert (os.getpid() in processes) == (workers == 1)


def test_one_task_needs_no_further_process():
    assert list(side_by_side(square, [(2,)], workers=8)) == [(4, os.getpid())]


def test_nothing_is_nothing():
    assert list(side_by_side(square, [], workers=2)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_raises_comes_through(workers):
    with pytest.raises(UserError, match="2 is refused"):
        list(side_by_side(refuse, [(1,), (2,), (3,)], workers=workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_knows_that_it_is_one_of_several(workers):
    assert list(side_by_side(beside_others, [(), ()], workers=workers)) == [workers > 1] * 2


FREED = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from repro.processes import side_by_side
from test_processes import square

def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

if __name__ == "__main__":
    pieces = [bytearray(b"1" * 50_000) for _ in range(6000)]  # each too small to be mapped
    last = pieces[-1]  # above the others on the heap, which therefore cannot shrink from its end
    del pieces
    before = resident_mib()
    list(side_by_side(square, [(1,), (2,)], workers=2))
    print(before - resident_mib())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what is freed")
def test_freed_memory_goes_back_before_other_processes_begin(tmp_path):
    script = tmp_path / "freed.py"
    script.write_text(FREED.format(folder=str(Path(__file__).parent)))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 200


PARENT = """
import sys
sys.path.insert(0, {folder!r})
from repro.processes import side_by_side
from test_processes import tick
if __name__ == "__main__":
    list(side_by_side(tick, [({first!r},), ({second!r},)], workers=2))
"""


def tick(path: str) -> None:
    for number in range(6000):
        with Path(path).open("a") as file:
            file.write(f"{number}\n")
        time.sleep(0.02)


def wait_for(what) -> None:
    end = time.monotonic() + 40
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_processes_end_when_the_one_that_began_them_is_killed(tmp_path):
    files = [tmp_path / "first", tmp_path / "second"]
    script = tmp_path / "parent.py"
    folder = str(Path(__file__).parent)
    script.write_text(PARENT.format(folder=folder, first=str(files[0]), second=str(files[1])))
    parent = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    wait_for(lambda: all(file.exists() for file in files))
    parent.send_signal(signal.SIGKILL)
    parent.wait()

    def still() -> bool:
        before = [file.stat().st_size for file in files]
        time.sleep(1)
        return before == [file.stat().st_size for file in files]

    wait_for(still)
