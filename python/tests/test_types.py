"""The stubs say what there is, what there is has words, and type checkers agree."""

import inspect
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import ROOT

import jpegdct


def test_everything_has_words():
    assert (pathlib.Path(jpegdct.__file__).parent / "py.typed").exists()
    for name in jpegdct.__all__:
        thing = getattr(jpegdct, name)
        if name != "__version__":
            assert thing.__doc__, name
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if callable(value) and not member.startswith("_"):
                    assert value.__doc__, f"{name}.{member}"


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    """Runs mypy, or its stubtest, whose words are in the failure."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    environment = {**os.environ, "MYPY_CACHE_DIR": str(tmp_path_factory.mktemp("mypy"))}

    def run(*arguments):
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        assert done.returncode == 0, done.stdout

    return run


def test_stubs_say_what_there_is(mypy):
    """Names, arguments, defaults and kinds of everything in the package."""
    mypy("mypy.stubtest", "jpegdct._jpegdct", "jpegdct.errors", "jpegdct.results")


#: PyTorch and Ray have functions without types.
STRICT = ["mypy", "--strict", "--allow-untyped-calls", "--ignore-missing-imports"]

#: Spark and Dask have too few types themselves.
NEEDS = {"tour": "numpy", "train_torch": "torch"}


@pytest.mark.parametrize("name", NEEDS)
def test_examples_are_typed(name, mypy):
    """Whoever checks strictly can use the package."""
    pytest.importorskip(NEEDS[name], reason=f"{NEEDS[name]} is not installed")
    path = ROOT / "python" / "examples" / f"{name}.py"
    mypy(*STRICT, str(path))


def test_the_package_is_typed(mypy):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    mypy(*STRICT, "--package", "jpegdct")
