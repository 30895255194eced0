"""What all tests share: the fixtures, and what the command makes of them."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"


def command():
    """The command: that of the Rust build if there is one, else the one the package installs."""
    binary = os.environ.get("JPEGDCT_BINARY")
    return [binary] if binary else [sys.executable, "-m", "jpegdct"]


def extract(inputs, out, *flags):
    """Runs `jpegdct extract`; gives the manifest's entries. Inputs may fail."""
    run = [*command(), "extract", *map(str, inputs), "-o", str(out), *flags]
    done = subprocess.run(run, stderr=subprocess.PIPE, text=True)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def fixtures():
    return FIXTURES


@pytest.fixture(scope="session")
def photos():
    """Paths of the good photographs."""
    return sorted(FIXTURES.glob("photos/*.jpg"))


@pytest.fixture(scope="session")
def photo(photos):
    """The bytes of one photograph."""
    return next(path for path in photos if path.name == "coffee-420.jpg").read_bytes()


@pytest.fixture
def tree(tmp_path, photos):
    """A folder of two classes."""
    for number, path in enumerate(photos * 2):
        place = tmp_path / "tree" / ("dog" if number % 2 else "cat")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:03}.jpg").write_bytes(path.read_bytes())
    return tmp_path / "tree"
