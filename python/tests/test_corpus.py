"""`stats`, `verify` and the command of the package: what the Rust command says."""

import json
import subprocess
import sys

import numpy
import pytest
from conftest import FIXTURES, command, extract

import jpegdct


def test_stats_are_the_commands(photos, tmp_path):
    file = tmp_path / "stats.json"
    flags = ["--recipe", "native-24", "--definition", "dctnet", "--rank", "--budget", "6"]
    subprocess.run(
        [*command(), "stats", *photos, "-o", file, *flags],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found = jpegdct.stats(list(photos), "native-24", definition="dctnet", budget=6, threads=2)
    assert found == json.loads(file.read_text())
    assert jpegdct.stats(FIXTURES / "photos", "native-6")["images"] == len(photos)
    bad = jpegdct.stats([FIXTURES / "damaged", *photos], "native-6")
    assert bad["failed"] > 10 and bad["images"] >= len(photos)
    with pytest.raises(jpegdct.RecipeError):
        jpegdct.stats(photos[0], "planes")
    with pytest.raises(ValueError):
        jpegdct.stats(photos[0], definition="median")


def test_verify_is_the_commands(photos):
    done = subprocess.run(
        [*command(), "verify", "--json", "--recipe", "dctnet-24", *photos], check=True, stdout=subprocess.PIPE
    )
    *images, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert jpegdct.verify(list(photos), "dctnet-24", threads=2) == {**summary, "images": images}
    strict = jpegdct.verify(photos[0], "native-24", tolerance=0.0)
    assert not strict["passed"] and strict["images"][0]["status"] == "differs"
    refused = jpegdct.verify([FIXTURES / "refused"])
    assert refused["failed"] == len(refused["images"]) > 5 and not refused["passed"]


def test_the_package_has_the_command(photos, tmp_path):
    """`jpegdct` as it is installed, and as a module: exit codes, help, output."""
    for run in [[sys.executable, "-m", "jpegdct"], [str(installed())]]:
        done = subprocess.run([*run, "--version"], stdout=subprocess.PIPE, text=True)
        assert (done.returncode, done.stdout) == (0, f"jpegdct {jpegdct.__version__}\n")
        assert subprocess.run([*run, "extract", "--colour"], stderr=subprocess.DEVNULL).returncode == 2
        assert subprocess.run([*run, "inspect", tmp_path / "none"], stdout=subprocess.DEVNULL).returncode == 1
    done = subprocess.run([*run, "extract", photos[0], "-o", tmp_path / "out"], stderr=subprocess.DEVNULL)
    assert done.returncode == 0
    made = next((tmp_path / "out").rglob("*.npy"))
    assert numpy.array_equal(numpy.load(made), jpegdct.Extractor("native-24")(photos[0]))
    assert len(extract(photos, tmp_path / "all")) == len(photos)


def installed():
    import pathlib

    return pathlib.Path(sys.executable).with_name("jpegdct")
