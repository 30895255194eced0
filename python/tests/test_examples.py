"""The examples and the README's lines run."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import FIXTURES, ROOT

EXAMPLES = ROOT / "python" / "examples"


def run(*arguments, cwd=None):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_tour(tmp_path):
    said = run(EXAMPLES / "tour.py", FIXTURES / "photos", tmp_path)
    assert "the same numbers" in said
    assert (tmp_path / "planes.png").read_bytes().startswith(b"\x89PNG")


def test_training(tree):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    assert "epoch 2: loss" in run(EXAMPLES / "train_torch.py", tree, "--workers", "1")


def blocks():
    """The Python code of the README, block by block."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "python" / "README.md").read_text(), re.DOTALL)


def test_the_readmes_first_lines(tmp_path, photos):
    for name in ("photo.jpg", "other.jpg"):
        shutil.copy(photos[0], tmp_path / name)
    (tmp_path / "readme.py").write_text(blocks()[0])
    assert "(2, 24, 56, 56)" in run("readme.py", cwd=tmp_path)


def test_the_readmes_spark_and_dask(tmp_path, photos):
    """Those engines are not installed; their maps hand over pandas data frames and bags, which are made here by
    hand."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    code = next(block for block in blocks() if "def tensors(" in block)
    functions = {}
    exec(code.split("# Spark")[0], functions)
    frame = pandas.DataFrame(
        {"path": [str(path) for path in photos], "content": [path.read_bytes() for path in photos]}
    )
    (made,) = functions["tensors"]([frame])
    assert list(made["path"]) == list(frame["path"]) and len(made["tensor"][0]) == 24 * 56 * 56
    assert os.path.basename(made["path"][0]) == photos[0].name
