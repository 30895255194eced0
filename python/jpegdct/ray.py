"""Tensors of DCT coefficients on a cluster: a class for Ray Data's ``map_batches``, and a script.

>>> import ray
>>> from jpegdct.ray import Extract
>>> images = ray.data.read_binary_files("s3://bucket/train", include_paths=True)
>>> tensors = images.map_batches(Extract, fn_constructor_args=["dctnet-24"], concurrency=8, batch_size=64)

As a script it turns a folder or bucket into Parquet files or WebDataset shards::

    python -m jpegdct.ray s3://bucket/train -o s3://bucket/tensors --recipe dctnet-24 --format parquet

``Extract`` itself needs no Ray: a batch is a dict of columns. So it serves Spark and Dask too, see the package's
README.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tarfile
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, Union

import numpy

from ._jpegdct import Extractor, Recipe
from .errors import JpegError

if TYPE_CHECKING:
    from ._jpegdct import _Path, _Recipe

__all__ = ["Extract", "extract", "run"]


class Extract:
    """Callable on batches, dicts of columns: to the column of bytes it adds one of tensors.

    ``recipe``: a Recipe or what its constructor takes. ``column``: the files' bytes; it is dropped unless
    ``keep_bytes``. ``output``: the tensors, an array (N, C, H, W) where the recipe has one shape, else an array of N
    arrays. ``paths``: the column that names the images, for random steps and messages. ``threads`` of each call. Further
    keywords are those of Extractor.

    ``on_error="raise"``: an image that fails fails the batch. ``"column"``: its row has its reason in a column
    ``error`` (empty for good rows) and a tensor of zeros. ``"drop"``: its row is left out, and told to ``report``, a
    function that takes a list of (path, reason).
    """

    def __init__(
        self,
        recipe: _Recipe = "dctnet-24",
        *,
        column: str = "bytes",
        output: str = "tensor",
        paths: str = "path",
        keep_bytes: bool = False,
        threads: int = 1,
        on_error: Literal["raise", "column", "drop"] = "raise",
        report: Optional[Callable[[list[tuple[str, str]]], object]] = None,
        **options: Any,
    ) -> None:
        if on_error not in ("raise", "column", "drop"):
            raise ValueError(f"on_error is 'raise', 'column' or 'drop', not {on_error!r}")
        self.extractor = Extractor(recipe, **options)
        if self.extractor.recipe.kind != "channels":
            raise ValueError(f"one tensor an image is needed; the recipe's kind is {self.extractor.recipe.kind}")
        self.column, self.output, self.paths = column, output, paths
        self.keep_bytes, self.threads, self.on_error, self.report = keep_bytes, threads, on_error, report

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        batch = dict(batch)
        images = [bytes(image) for image in batch[self.column]]
        if not self.keep_bytes:
            del batch[self.column]
        names = [str(path) for path in batch[self.paths]] if self.paths in batch else [""] * len(images)
        if self.on_error == "raise":
            try:
                made = self.extractor.batch(images, keys=names, threads=self.threads)
            except JpegError as error:
                # Ray tells where in the cluster, this tells which.
                error.path = names[error.index or 0]
                error.args = (f"{error.path}: {error}",)
                raise
            batch[self.output] = self._column(list(made) if isinstance(made, list) else made)
            return batch
        made = self.extractor.batch(images, keys=names, threads=self.threads, on_error="none")
        errors = [self._reason(image, name) if array is None else "" for image, name, array in zip(images, names, made)]
        if self.on_error == "column":
            made = [self._zeros() if array is None else array for array in made]
            batch["error"] = numpy.array(errors, dtype=object)
        else:
            failed = [(name, error) for name, error in zip(names, errors) if error]
            if failed and self.report is not None:
                self.report(failed)
            good = [place for place, error in enumerate(errors) if not error]
            made = [made[place] for place in good]
            batch = {name: [values[place] for place in good] for name, values in batch.items()}
            batch = {name: _numpy(values) for name, values in batch.items()}
        batch[self.output] = self._column(made)
        return batch

    def _reason(self, image: bytes, name: str) -> str:
        """Why an image failed: the message of its exception."""
        try:
            self.extractor(image, key=name)
        except (JpegError, MemoryError) as error:
            return str(error)
        return "it failed once and not again"

    def _type(self) -> numpy.dtype[Any]:
        return numpy.dtype({"f32": "float32", "f16": "float16", "i16": "int16"}[self.extractor.recipe.dtype])

    def _zeros(self) -> Any:
        shape = self.extractor.recipe.shape
        return numpy.zeros(shape or (self.extractor.recipe.num_channels, 0, 0), self._type())

    def _column(self, arrays: Any) -> Any:
        """Arrays as a column: stacked where the recipe has one shape."""
        shape = self.extractor.recipe.shape
        if isinstance(arrays, numpy.ndarray) and shape is not None:
            return arrays
        if shape is not None:
            return numpy.stack(arrays) if len(arrays) else numpy.zeros((0, *shape), self._type())
        column = numpy.empty(len(arrays), dtype=object)
        for place, array in enumerate(arrays):
            column[place] = array
        return column


def _numpy(values: list[Any]) -> Any:
    """A column of plain values; bytes and text keep their type."""
    if values and isinstance(values[0], (bytes, str)):
        return numpy.array(values, dtype=object)
    return numpy.asarray(values)


def extract(batch: dict[str, Any], recipe: _Recipe = "dctnet-24", **options: Any) -> dict[str, Any]:
    """As ``Extract(recipe, **options)(batch)``: for a map over batches that takes a function. The extractor is kept."""
    key = (Recipe(recipe).to_json(), repr(sorted(options.items())))
    if key not in _kept:
        _kept[key] = Extract(recipe, **options)
    return _kept[key](batch)


_kept: dict[tuple[str, str], Extract] = {}


class _Shard:
    """Writes a batch of tensors as one WebDataset shard; gives one row, what was written.

    The name comes from the paths in it, so a batch that is made twice, after a worker was lost, is written twice to
    one place.
    """

    def __init__(self, folder: str, recipe: Recipe) -> None:
        self.folder, self.recipe = folder, recipe

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        from pyarrow import fs

        paths, tensors = [str(path) for path in batch["path"]], batch["tensor"]
        if not paths:
            return {"shard": numpy.array([], dtype=object), "images": numpy.array([], dtype=numpy.int64)}
        name = f"{uuid.uuid5(uuid.NAMESPACE_URL, chr(10).join(paths))}.tar"
        filesystem, folder = _filesystem(self.folder, fs)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for path, tensor in zip(paths, tensors):
                stem = path.lstrip("/").rsplit("/", 1)
                stem[-1] = stem[-1].partition(".")[0]
                array = io.BytesIO()
                numpy.save(array, numpy.ascontiguousarray(tensor))
                about = json.dumps({"path": path, "recipe_hash": self.recipe.hash}).encode()
                for ending, content in (("npy", array.getvalue()), ("json", about)):
                    entry = tarfile.TarInfo(f"{'/'.join(stem)}.{ending}")
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        with filesystem.open_output_stream(f"{folder}/.{name}.part") as stream:
            stream.write(buffer.getvalue())
        filesystem.move(f"{folder}/.{name}.part", f"{folder}/{name}")
        return {"shard": numpy.array([name], dtype=object), "images": numpy.array([len(paths)])}


def _filesystem(place: str, fs: Any) -> tuple[Any, str]:
    """The file system of a path or URI, and the path in it."""
    if "://" in place:
        filesystem, path = fs.FileSystem.from_uri(place)
        return filesystem, path
    return fs.LocalFileSystem(), os.path.abspath(place)


class _Failures:
    """What all actors report."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def add(self, failed: list[tuple[str, str]]) -> None:
        self.found.update(failed)

    def all(self) -> dict[str, str]:
        return self.found


def run(
    inputs: Union[str, list[str]],
    output: _Path,
    recipe: _Recipe = "dctnet-24",
    *,
    format: Literal["parquet", "webdataset"] = "parquet",
    concurrency: Optional[int] = None,
    batch_size: int = 64,
    **options: Any,
) -> tuple[int, dict[str, str]]:
    """Turns the images below ``inputs`` (paths or URIs) into tensors below ``output``, on the Ray cluster that is
    connected.

    ``format``: ``"parquet"`` (columns ``path`` and ``tensor``) or ``"webdataset"`` (one shard a batch). Beside the
    tensors lie ``recipe.json`` and ``failures.jsonl``, a line for each image that gave none. Gives the number of
    tensors and the failures, a dict of reasons by path. ``concurrency``: actors (default: as many as the cluster has
    processors).
    """
    import ray
    from pyarrow import fs

    if format not in ("parquet", "webdataset"):
        raise ValueError(f"format is 'parquet' or 'webdataset', not {format!r}")
    recipe = Recipe(recipe)

    failures: Any = ray.remote(num_cpus=0)(_Failures).remote()

    def report(failed: list[tuple[str, str]]) -> None:
        ray.get(failures.add.remote(failed))

    if concurrency is None:
        concurrency = max(1, int(ray.cluster_resources().get("CPU", 1)))
    images = ray.data.read_binary_files(inputs, include_paths=True)
    tensors = images.map_batches(
        Extract,
        fn_constructor_args=[recipe],
        fn_constructor_kwargs={"on_error": "drop", "report": report, **options},
        concurrency=concurrency,
        batch_size=batch_size,
    )
    filesystem, folder = _filesystem(os.fspath(output), fs)
    filesystem.create_dir(folder)
    if format == "parquet":
        tensors.write_parquet(folder, filesystem=filesystem)
        count = ray.data.read_parquet(folder, filesystem=filesystem, file_extensions=["parquet"]).count()
    else:
        written = tensors.map_batches(
            _Shard, fn_constructor_args=[os.fspath(output), recipe], concurrency=1, batch_size=batch_size
        )
        count = sum(row["images"] for row in written.take_all())
    found = dict(sorted(ray.get(failures.all.remote()).items()))
    lines = "".join(json.dumps({"path": path, "error": error}) + "\n" for path, error in found.items())
    for name, text in (("recipe.json", recipe.to_json() + "\n"), ("failures.jsonl", lines)):
        with filesystem.open_output_stream(f"{folder}/{name}") as stream:
            stream.write(text.encode())
    return count, found


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m jpegdct.ray", description="Images to tensors of DCT coefficients on Ray."
    )
    parser.add_argument("inputs", nargs="+", help="folders, files or URIs")
    parser.add_argument("-o", "--output", required=True, help="folder or URI")
    parser.add_argument("--recipe", default="dctnet-24", help="a preset, or a .toml or .json file")
    parser.add_argument("--format", default="parquet", choices=["parquet", "webdataset"])
    parser.add_argument("--batch-size", type=int, default=64, help="images a batch, and a shard")
    parser.add_argument("--concurrency", type=int, help="actors [default: processors of the cluster]")
    parser.add_argument("--address", help="address of the cluster [default: RAY_ADDRESS, or one that is started here]")
    args = parser.parse_args(arguments)
    import ray

    ray.init(address=args.address, ignore_reinit_error=True)
    count, failures = run(
        args.inputs,
        args.output,
        args.recipe,
        format=args.format,
        batch_size=args.batch_size,
        concurrency=args.concurrency,
    )
    for path, error in failures.items():
        print(f"{path}: {error}", file=sys.stderr)
    print(f"{count} tensors, {len(failures)} failed; {args.output}", file=sys.stderr)
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())
