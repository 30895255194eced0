"""Data sets for PyTorch: JPEG files in, tensors of DCT coefficients out.

>>> from torch.utils.data import DataLoader
>>> from jpegdct.torch import DctImageFolder, collate, training
>>> recipe = training("dctnet-24", size=448, flip=0.5)                # random crops and flips, on the coefficients
>>> train = DctImageFolder("imagenet/train", recipe)
>>> loader = DataLoader(train, batch_size=256, shuffle=True, num_workers=8, collate_fn=collate)
>>> for tensors, targets in loader:                                   # (256, 24, 56, 56) float32
...     loss = criterion(model(tensors), targets)

Tensors share the memory of the arrays that ``Extractor`` makes. What is drawn at random for an image follows
PyTorch's own generator, so ``torch.manual_seed`` repeats it, and every epoch and worker draws anew. Only ``torch`` is
needed, not torchvision.
"""

from __future__ import annotations

import json
import os
import random
import tarfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, Union

import torch
from torch.utils.data import Dataset, IterableDataset, default_collate, get_worker_info

from ._jpegdct import Extractor, Recipe
from .errors import JpegError

if TYPE_CHECKING:
    from ._jpegdct import _Path, _Recipe, _Source

__all__ = ["DctDataset", "DctImageFolder", "DctWebDataset", "collate", "training"]

#: Extensions of images, in any case.
EXTENSIONS = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".webp",
    ".tif",
    ".tiff",
    ".bmp",
    ".gif",
    ".pnm",
    ".ppm",
    ".pgm",
    ".pbm",
)


def training(
    base: _Recipe = "dctnet-24",
    size: Union[int, Sequence[int]] = 448,
    *,
    scale: Sequence[float] = (0.08, 1.0),
    ratio: Sequence[float] = (3 / 4, 4 / 3),
    flip: float = 0.5,
    photometric: Optional[dict[str, Any]] = None,
    **fields: Any,
) -> Recipe:
    """A recipe for training: ``base``, but a random resized crop to ``size`` in the place of its resize and crop,
    flips and changes of colour.

    ``size`` in pixels, a number or (height, width), before DCTNet's enlargement: 448 gives 56 x 56 blocks. ``scale``,
    ``ratio`` as torchvision's ``RandomResizedCrop``. ``flip``: probability. ``photometric``: the table of that name
    in a recipe, such as ``{"brightness": [0.6, 1.4], "chroma_drop": 0.1}``. ``fields`` as ``Recipe`` takes them.
    Raises RecipeError for what cannot be.
    """
    base = Recipe(base)
    geometry = dict(base.to_dict().get("geometry", {}))
    for step in ("resize", "crop", "pad"):
        geometry.pop(step, None)
    size = [size, size] if isinstance(size, int) else list(size)
    geometry["random_resized_crop"] = {"size": size, "scale": list(scale), "ratio": list(ratio)}
    if flip:
        geometry["flip"] = flip
    changes = {"geometry": geometry, **fields}
    if photometric is not None:
        changes["photometric"] = photometric
    return base.replace(**changes)


def _tensor(made: Any) -> Any:
    """Shares the memory of what an extractor made."""
    if isinstance(made, dict):
        return {name: torch.from_numpy(array) for name, array in made.items()}
    return torch.from_numpy(made)


class _Images:
    """What all data sets do with one image."""

    def __init__(
        self,
        recipe: Union[_Recipe, Extractor],
        transform: Optional[Callable[[Any], Any]],
        on_error: Literal["raise", "none"],
        options: dict[str, Any],
    ) -> None:
        if isinstance(recipe, Extractor) and options:
            raise TypeError(f"an Extractor has its options already: {', '.join(options)}")
        self.extractor = recipe if isinstance(recipe, Extractor) else Extractor(recipe, **options)
        self.recipe = self.extractor.recipe
        self.transform = transform
        if on_error not in ("raise", "none"):
            raise ValueError(f"on_error is 'raise' or 'none', not {on_error!r}")
        self.on_error = on_error
        self._random = self.recipe.is_random

    def _load(self, source: _Source) -> Any:
        """The tensor of an image, or None if it failed and that is no error."""
        # Only what needs chance takes a number from the generator.
        key = str(torch.randint(2**62, ()).item()) if self._random else None
        made = self.extractor(source, key=key, on_error=self.on_error)
        if made is None:
            return None
        tensor = _tensor(made)
        return tensor if self.transform is None else self.transform(tensor)


class DctDataset(_Images, Dataset[Any]):
    """A map-style data set of any images: ``dataset[i]`` is ``(tensor, target)``.

    ``sources``: a sequence of paths or bytes. ``targets``: as many of anything, or None for the tensor alone.
    ``recipe``: a Recipe, what its constructor takes, or an Extractor. ``transform`` takes the tensor,
    ``target_transform`` the target. ``on_error="none"`` gives None for the tensor of an image that fails; ``collate``
    leaves such samples out. Further keywords are those of Extractor.
    """

    def __init__(
        self,
        sources: Sequence[_Source],
        recipe: Union[_Recipe, Extractor] = "dctnet-24",
        *,
        targets: Optional[Sequence[Any]] = None,
        transform: Optional[Callable[[Any], Any]] = None,
        target_transform: Optional[Callable[[Any], Any]] = None,
        on_error: Literal["raise", "none"] = "raise",
        **options: Any,
    ) -> None:
        super().__init__(recipe, transform, on_error, options)
        if targets is not None and len(targets) != len(sources):
            raise ValueError(f"{len(targets)} targets for {len(sources)} images")
        self.sources = sources
        self.targets = targets
        self.target_transform = target_transform

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int) -> Any:
        tensor = self._load(self.sources[index])
        if self.targets is None:
            return tensor
        target = self.targets[index]
        return tensor, target if self.target_transform is None else self.target_transform(target)


class DctImageFolder(DctDataset):
    """torchvision's ``ImageFolder``, with tensors of coefficients: ``root/class/.../image.jpg``.

    ``classes`` (sorted), ``class_to_idx``, ``samples`` or ``imgs`` (path and class of each) and ``targets`` as there.
    A class without images is an error unless ``allow_empty``. ``extensions`` or ``is_valid_file`` say which files
    count.
    """

    def __init__(
        self,
        root: _Path,
        recipe: Union[_Recipe, Extractor] = "dctnet-24",
        *,
        transform: Optional[Callable[[Any], Any]] = None,
        target_transform: Optional[Callable[[Any], Any]] = None,
        extensions: Sequence[str] = EXTENSIONS,
        is_valid_file: Optional[Callable[[str], bool]] = None,
        allow_empty: bool = False,
        on_error: Literal["raise", "none"] = "raise",
        **options: Any,
    ) -> None:
        self.root = os.fspath(root)
        self.classes, self.class_to_idx = self.find_classes(self.root)
        if is_valid_file is None:
            is_valid_file = lambda path: path.lower().endswith(tuple(extensions))  # noqa: E731
        self.samples = list(self._walk(is_valid_file))
        empty = set(self.classes) - {self.classes[target] for _, target in self.samples}
        if empty and not allow_empty:
            raise FileNotFoundError(f"{self.root}: no images in the classes {', '.join(sorted(empty))}")
        self.imgs = self.samples
        super().__init__(
            [path for path, _ in self.samples],
            recipe,
            targets=[target for _, target in self.samples],
            transform=transform,
            target_transform=target_transform,
            on_error=on_error,
            **options,
        )

    @staticmethod
    def find_classes(root: _Path) -> tuple[list[str], dict[str, int]]:
        """The folders in a folder, sorted, and the place of each."""
        classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
        if not classes:
            raise FileNotFoundError(f"{root}: no folders of classes")
        return classes, {name: place for place, name in enumerate(classes)}

    def _walk(self, is_valid_file: Callable[[str], bool]) -> Iterator[tuple[str, int]]:
        for place, name in enumerate(self.classes):
            for folder, _, files in sorted(os.walk(os.path.join(self.root, name), followlinks=True)):
                for file in sorted(files):
                    path = os.path.join(folder, file)
                    if is_valid_file(path):
                        yield path, place


class DctWebDataset(_Images, IterableDataset[Any]):
    """An iterable data set of WebDataset shards: tar files in which files that share a name up to its first dot are a
    sample.

    Gives ``(tensor, target)``, the target being the number in ``.cls`` (or its text), or None without one; with
    ``decode=False`` a dict of the sample: ``__key__``, ``tensor``, and the other files' bytes by extension (``json``
    parsed, ``cls`` a number). Samples without an image are left out. Shards are shared out over the ranks of
    ``torch.distributed`` and the workers of a DataLoader. ``shuffle``: size of a buffer from which samples are drawn;
    shards are then read in an order that is drawn too.
    """

    def __init__(
        self,
        shards: Union[_Path, Sequence[_Path]],
        recipe: Union[_Recipe, Extractor] = "dctnet-24",
        *,
        shuffle: int = 0,
        transform: Optional[Callable[[Any], Any]] = None,
        decode: bool = True,
        on_error: Literal["raise", "none"] = "raise",
        **options: Any,
    ) -> None:
        super().__init__(recipe, transform, on_error, options)
        self.shards = [shards] if isinstance(shards, (str, os.PathLike)) else list(shards)
        self.shuffle = shuffle
        self.decode = decode

    def _share(self) -> list[_Path]:
        """The shards of this rank and worker: every so many-th."""
        worker = get_worker_info()
        place, of = (worker.id, worker.num_workers) if worker else (0, 1)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            place += of * torch.distributed.get_rank()
            of *= torch.distributed.get_world_size()
        return self.shards[place::of]

    def __iter__(self) -> Iterator[Any]:
        shards = self._share()
        if not self.shuffle:
            for shard in shards:
                yield from map(self._make, _samples(shard))
            return
        chance = random.Random(torch.randint(2**62, ()).item())
        chance.shuffle(shards)
        waiting = []
        for shard in shards:
            for sample in _samples(shard):
                waiting.append(sample)
                if len(waiting) > self.shuffle:
                    yield self._make(waiting.pop(chance.randrange(len(waiting))))
        chance.shuffle(waiting)
        yield from map(self._make, waiting)

    def _make(self, sample: dict[str, Any]) -> Any:
        sample = dict(sample)
        tensor = self._load(sample.pop("image"))
        if "cls" in sample:
            text = sample["cls"].decode().strip()
            sample["cls"] = int(text) if text.lstrip("-").isdigit() else text
        if self.decode:
            return tensor, sample.get("cls")
        if "json" in sample:
            sample["json"] = json.loads(sample["json"])
        return {**sample, "tensor": tensor}


def _samples(shard: _Path) -> Iterator[dict[str, Any]]:
    """The samples of a tar file with an image, as dicts of bytes."""
    sample: dict[str, Any] = {}
    with tarfile.open(shard, "r|*") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            folder, name = os.path.split(member.name)
            stem, dot, extension = name.partition(".")
            key = os.path.join(folder, stem)
            if sample and sample["__key__"] != key:
                if "image" in sample:
                    yield sample
                sample = {}
            sample["__key__"] = key
            if ("." + extension.lower()).endswith(EXTENSIONS):
                extension = "image"
            sample[extension if dot else ""] = file.read()
    if "image" in sample:
        yield sample


def collate(samples: Sequence[Any]) -> Any:
    """PyTorch's ``default_collate`` for tensors of any size: those of one shape are stacked, others become a list.

    Samples whose tensor is None, because the image failed and the data set was told ``on_error="none"``, are left
    out: the batch is that much smaller, never filled up.
    """
    kept = [sample for sample in samples if (sample[0] if isinstance(sample, tuple) else sample) is not None]
    if not kept:
        raise JpegError(f"none of the {len(samples)} images of a batch could be read")
    if isinstance(kept[0], tuple):
        return tuple(_stack(column) for column in zip(*kept))
    return _stack(kept)


def _stack(values: Sequence[Any]) -> Any:
    first = values[0]
    if isinstance(first, torch.Tensor):
        same = all(value.shape == first.shape for value in values)
        return default_collate(list(values)) if same else list(values)
    if isinstance(first, dict):
        return list(values)
    return default_collate(list(values)) if all(value is not None for value in values) else list(values)
