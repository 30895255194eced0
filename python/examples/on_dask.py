"""Tensors on Dask: one array of all images, made a block at a time on the workers.

    python python/examples/on_dask.py GLOB OUT [--recipe dctnet-24] [--block 64] [--scheduler ADDRESS]

GLOB is a pattern of paths or URIs that all machines reach. OUT becomes a stack of .npy files, as `dask.array.from_npy_stack`
reads it. An image that fails fails the run, and its path is in the message.
"""

from __future__ import annotations

import argparse
from typing import Any

import dask
import dask.array
import fsspec
from dask.distributed import Client

import jpegdct
from jpegdct.ray import extract


def tensors(files: list[Any], recipe: jpegdct.Recipe) -> Any:
    """One block: (images, C, H, W). The function needs no Ray."""
    contents = []
    for file in files:
        with file as opened:
            contents.append(opened.read())
    return extract({"path": [file.path for file in files], "bytes": contents}, recipe)["tensor"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("glob")
    parser.add_argument("out")
    parser.add_argument("--recipe", default="dctnet-24")
    parser.add_argument("--block", type=int, default=64, help="images a block")
    parser.add_argument("--scheduler", help="address of a cluster [default: two workers here]")
    args = parser.parse_args()
    recipe = jpegdct.Recipe(args.recipe)
    assert recipe.shape, "one array needs a recipe of one shape"

    dtype = jpegdct.Extractor(recipe).batch([]).dtype
    files = fsspec.open_files(args.glob, "rb")
    blocks = [list(files[start : start + args.block]) for start in range(0, len(files), args.block)]
    client = Client(args.scheduler) if args.scheduler else Client(n_workers=2, threads_per_worker=1)
    with client:
        made = dask.array.concatenate(
            [
                dask.array.from_delayed(dask.delayed(tensors)(block, recipe), (len(block), *recipe.shape), dtype)
                for block in blocks
            ]
        )
        dask.array.to_npy_stack(args.out, made)
        mean = dask.array.from_npy_stack(args.out).mean(axis=(0, 2, 3)).compute()
    print(f"{made.shape} in {len(blocks)} blocks; mean of the first channel {mean[0]:.2f}")


if __name__ == "__main__":
    main()
