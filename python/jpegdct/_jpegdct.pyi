import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Optional, Protocol, TypeVar, Union, final, overload

import numpy as np
from numpy.typing import NDArray

from .results import Coefficients, Extraction

__all__ = [
    "Extractor",
    "Recipe",
    "__version__",
    "command",
    "digest",
    "inspect",
    "read",
    "stats",
    "verify",
]

__version__: str

class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...

_Path = Union[str, os.PathLike[str]]
_Source = Union[_Path, bytes, bytearray, memoryview, NDArray[np.uint8], _Readable]
_Recipe = Union["Recipe", _Path, Mapping[str, Any]]
_Inputs = Union[_Path, Sequence[_Path]]
_Limit = Literal["pixels", "memory", "scans", "passes", "segments", "file_bytes"]
_Limits = Optional[Mapping[_Limit, int]]
_Damaged = Literal["refuse", "keep"]
_Out = TypeVar("_Out", bound=NDArray[Any])
# Mostly an array; a dict of arrays for the kinds `planes` and `quantised`, a list of them for a batch of several sizes.
_Made = Union[NDArray[Any], Any]

@final
class Recipe:
    """The whole description of a tensor. Does not change; compares, hashes and pickles."""

    def __new__(cls, base: Optional[_Recipe] = None, **fields: Any) -> Recipe: ...
    @staticmethod
    def preset(name: str) -> Recipe: ...
    @staticmethod
    def presets() -> list[str]: ...
    @staticmethod
    def from_toml(text: str) -> Recipe: ...
    @staticmethod
    def from_json(text: str) -> Recipe: ...
    def replace(self, **fields: Any) -> Recipe:
        """This recipe with some fields changed, as the constructor takes them."""
    def to_json(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    @property
    def name(self) -> Optional[str]: ...
    @property
    def kind(self) -> str:
        """``channels``, ``planes`` or ``quantised``."""
    @property
    def channels(self) -> str:
        """The wanted frequencies, ``y:0-3,8;cb:0;cr:0``."""
    @property
    def num_channels(self) -> int: ...
    @property
    def dtype(self) -> Literal["f32", "f16", "i16"]: ...
    @property
    def layout(self) -> Literal["chw", "hwc", "blocks"]: ...
    @property
    def shape(self) -> Optional[tuple[int, ...]]:
        """The shape of the tensors, if all images give one."""
    @property
    def is_random(self) -> bool:
        """Whether a tensor depends on the image's key."""
    @property
    def hash(self) -> str:
        """Fingerprint of what the recipe does, 16 hex digits."""

@final
class Extractor:
    """Makes tensors of images by one recipe. Shared by threads, safe after a fork, pickles."""

    def __new__(
        cls,
        recipe: Optional[_Recipe] = None,
        damaged: _Damaged = "refuse",
        reencode: bool = True,
        limits: _Limits = None,
    ) -> Extractor: ...
    @overload
    def __call__(
        self, source: _Source, *, key: Optional[str] = None, on_error: Literal["raise"] = "raise"
    ) -> _Made: ...
    @overload
    def __call__(self, source: _Source, *, key: Optional[str] = None, on_error: Literal["none"]) -> Optional[_Made]: ...
    def extract(self, source: _Source, *, key: Optional[str] = None) -> Extraction:
        """As calling it, with what was found on the way."""
    @overload
    def batch(
        self,
        sources: Iterable[_Source],
        *,
        keys: Optional[Sequence[str]] = None,
        threads: Optional[int] = None,
        out: _Out,
        on_error: Literal["raise"] = "raise",
    ) -> _Out: ...
    @overload
    def batch(
        self,
        sources: Iterable[_Source],
        *,
        keys: Optional[Sequence[str]] = None,
        threads: Optional[int] = None,
        out: None = None,
        on_error: Literal["raise"] = "raise",
    ) -> _Made: ...
    @overload
    def batch(
        self,
        sources: Iterable[_Source],
        *,
        keys: Optional[Sequence[str]] = None,
        threads: Optional[int] = None,
        out: Optional[NDArray[Any]] = None,
        on_error: Literal["none"],
    ) -> list[Optional[_Made]]: ...
    @property
    def recipe(self) -> Recipe: ...
    @property
    def damaged(self) -> _Damaged: ...
    @property
    def reencode(self) -> bool: ...
    @property
    def limits(self) -> dict[_Limit, int]: ...

def read(source: _Source, *, damaged: _Damaged = "refuse", limits: _Limits = None) -> Coefficients:
    """The quantised coefficients of a JPEG."""

def digest(values: NDArray[np.int16]) -> str:
    """FNV-1a 64 over contiguous values as little-endian int16, 16 hex digits."""

def inspect(source: _Source, *, limits: _Limits = None) -> dict[str, Any]:
    """What a file holds: the fields of ``jpegdct inspect --json``."""

def stats(
    inputs: _Inputs,
    recipe: Optional[_Recipe] = None,
    *,
    definition: Literal["pooled", "dctnet"] = "pooled",
    budget: Optional[int] = None,
    threads: Optional[int] = None,
    reencode: bool = True,
    limits: _Limits = None,
) -> dict[str, Any]:
    """The statistics of channels over many images: the fields of the file that ``jpegdct stats`` writes."""

def verify(
    inputs: _Inputs,
    recipe: Optional[_Recipe] = None,
    *,
    tolerance: Optional[float] = None,
    threads: Optional[int] = None,
    limits: _Limits = None,
) -> dict[str, Any]:
    """Compares tensors with the pixel path, as ``jpegdct verify`` does; the tolerance is 2e-3 unless given."""

def command(arguments: Sequence[str]) -> int:
    """The command: its arguments, the first of them its name, to its exit code."""
