"""The examples and the README's lines run."""

import os
import re
import shutil
import subprocess
import sys

import numpy
import pytest
from conftest import FIXTURES, ROOT

import jpegdct

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


def test_spark(tmp_path, photos, monkeypatch):
    pytest.importorskip("pyspark", reason="PySpark is not installed")
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java")
    for path in [*photos, FIXTURES / "damaged" / "bad-code.jpg"]:
        shutil.copy(path, tmp_path)
    # Workers have this Python, and a cluster of this machine.
    for name, value in [("PYSPARK_PYTHON", sys.executable), ("SPARK_LOCAL_IP", "127.0.0.1")]:
        monkeypatch.setenv(name, value)
    said = run(EXAMPLES / "on_spark.py", f"{tmp_path}/*.jpg", tmp_path / "out")
    assert f"{len(photos)} tensors of (24, 56, 56), 1 failed" in said and "bad-code.jpg: damaged JPEG" in said
    rows = {os.path.basename(row["path"]): row for row in parquet.read_table(tmp_path / "out").to_pylist()}
    assert len(rows) == len(photos) + 1
    for path in photos:
        wanted = jpegdct.Extractor("dctnet-24")(path)
        assert numpy.array_equal(numpy.float32(rows[path.name]["tensor"]), wanted.ravel()), path


def test_dask(tmp_path, photos):
    array = pytest.importorskip("dask.array", reason="Dask is not installed")
    pytest.importorskip("distributed", reason="Dask's scheduler is not installed")
    said = run(EXAMPLES / "on_dask.py", FIXTURES / "photos" / "*.jpg", tmp_path, "--block", "3")
    assert f"({len(photos)}, 24, 56, 56) in {-(-len(photos) // 3)} blocks" in said
    made = array.from_npy_stack(tmp_path).compute()
    assert numpy.array_equal(made, jpegdct.Extractor("dctnet-24").batch(photos))
