"""`jpegdct.ray`: the callable alone, and a real cluster of two nodes that loses a worker in the middle of its work."""

import glob
import io
import json
import os
import pathlib
import signal
import sys
import tarfile

import numpy
import pytest
from conftest import FIXTURES

import jpegdct
from jpegdct.ray import Extract, extract


def batch_of(sources):
    return {
        "path": numpy.array([f"{number}.jpg" for number in range(len(sources))], dtype=object),
        "bytes": numpy.array(sources, dtype=object),
        "label": numpy.arange(len(sources)),
    }


def test_the_callable(photos):
    sources = [path.read_bytes() for path in photos]
    made = Extract("dctnet-24")(batch_of(sources))
    assert sorted(made) == ["label", "path", "tensor"]
    assert numpy.array_equal(made["tensor"], jpegdct.Extractor("dctnet-24").batch(sources))
    assert numpy.array_equal(extract(batch_of(sources))["tensor"], made["tensor"])
    assert "bytes" in Extract("dctnet-24", keep_bytes=True)(batch_of(sources))
    ragged = Extract("native-24")(batch_of(sources))["tensor"]
    assert ragged.dtype == object and ragged[0].shape[0] == 24
    with pytest.raises(ValueError):
        Extract("planes")


def test_failures(photo):
    sources = [photo, b"text", photo]
    with pytest.raises(jpegdct.NotJpegError, match="^1.jpg: not a JPEG"):
        Extract()(batch_of(sources))
    marked = Extract(on_error="column")(batch_of(sources))
    assert [bool(error) for error in marked["error"]] == [False, True, False] and not marked["tensor"][1].any()
    told = []
    dropped = Extract(on_error="drop", report=told.extend)(batch_of(sources))
    assert dropped["tensor"].shape[0] == 2 and dropped["label"].tolist() == [0, 2]
    assert told == [("1.jpg", "not a JPEG: unknown content")]
    assert len(Extract(on_error="drop")(batch_of([b"", b""]))["tensor"]) == 0


@pytest.fixture(scope="module")
def cluster():
    """A cluster of a head without processors and two nodes with two each: a reader and a worker."""
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from ray.cluster_utils import Cluster

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    memory = {"object_store_memory": 200 << 20}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **memory})
    nodes = [cluster.add_node(num_cpus=2, **memory) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False)
    # Workers do not find the module of a test by its name.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    cluster.wait_for_nodes()
    assert len(nodes) == 2 and ray.cluster_resources()["CPU"] == 4
    yield ray
    ray.shutdown()
    cluster.shutdown()


class Dying(Extract):
    """Kills its own process, once for all workers, when it has done some of the work."""

    def __init__(self, marker, *arguments, **options):
        super().__init__(*arguments, **options)
        self.marker, self.done = pathlib.Path(marker), 0

    def __call__(self, batch):
        made = super().__call__(batch)
        self.done += 1
        if self.done == 3:
            try:
                self.marker.touch(exist_ok=False)
            except FileExistsError:
                return made
            self.marker.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return made


def everything():
    """Fixtures that give a tensor, by path, with that tensor, as one process makes them; and the others."""
    extractor, good, bad = jpegdct.Extractor("dctnet-24"), {}, set()
    folders = ["photos", "sampling", "progressive", "baseline", "color", "damaged"]
    for path in sorted(path for folder in folders for path in (FIXTURES / folder).glob("*.jpg")):
        tensor = extractor(path.read_bytes(), on_error="none")
        if tensor is None:
            bad.add(str(path))
        else:
            good[str(path)] = tensor
    return good, bad


def test_a_worker_is_lost(cluster, tmp_path):
    good, _ = everything()
    assert len(good) > 100
    images = cluster.data.read_binary_files(list(good), include_paths=True)
    marker = tmp_path / "killed"
    tensors = images.map_batches(Dying, fn_constructor_args=[str(marker), "dctnet-24"], concurrency=2, batch_size=8)
    rows = {row["path"]: row["tensor"] for row in tensors.take_all()}
    assert marker.read_text(), "no worker was killed: the test is blind"
    assert sorted(rows) == sorted(good)
    for path, tensor in good.items():
        assert rows[path].dtype == tensor.dtype and numpy.array_equal(rows[path], tensor), path


@pytest.mark.parametrize("format", ["parquet", "webdataset"])
def test_the_script(cluster, format, tmp_path):
    from jpegdct.ray import run

    good, bad = everything()
    out = tmp_path / "out"
    count, failures = run([*good, *bad], str(out), "dctnet-24", format=format, batch_size=16, concurrency=2)
    assert count == len(good) and set(failures) == bad
    lines = [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]
    assert {line["path"] for line in lines} == bad and all(line["error"] for line in lines)
    assert jpegdct.Recipe(out / "recipe.json") == jpegdct.Recipe("dctnet-24")
    rows = dict(read(out, format))
    assert sorted(rows) == sorted(good)
    assert all(numpy.array_equal(rows[path], tensor) for path, tensor in good.items())


def read(out, format):
    if format == "parquet":
        from pyarrow import parquet

        for file in sorted(out.glob("*.parquet")):
            table = parquet.read_table(file)
            tensors = table.column("tensor").combine_chunks()
            tensors = tensors.chunk(0) if hasattr(tensors, "chunk") else tensors
            made = tensors.to_numpy_ndarray() if hasattr(tensors, "to_numpy_ndarray") else tensors.to_numpy(False)
            yield from zip(table.column("path").to_pylist(), made)
        return
    for file in sorted(glob.glob(f"{out}/*.tar")):
        with tarfile.open(file) as archive:
            for name in archive.getnames():
                if name.endswith(".npy"):
                    about = json.load(archive.extractfile(name[:-4] + ".json"))
                    yield about["path"], numpy.load(io.BytesIO(archive.extractfile(name).read()))
