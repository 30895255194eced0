import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Optional, Protocol, Union, final, overload

import numpy as np
from numpy.typing import NDArray

__version__: str

class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...

_Path = Union[str, os.PathLike[str]]
_Source = Union[_Path, bytes, bytearray, memoryview, NDArray[np.uint8], _Readable]
_Tensor = Union[NDArray[Any], dict[str, NDArray[Any]]]
_Recipe = Union["Recipe", _Path, Mapping[str, Any]]
_Inputs = Union[_Path, Sequence[_Path]]
_Limits = Optional[Mapping[Literal["pixels", "memory", "scans", "passes", "segments", "file_bytes"], int]]
_Damaged = Literal["refuse", "keep"]

@final
class Warning:
    """Something odd that decoding survived."""

    @property
    def offset(self) -> int:
        """Byte offset in the file."""
    @property
    def message(self) -> str: ...
    @property
    def is_damage(self) -> bool:
        """Whether coefficients may be lost or wrong."""

@final
class Plane:
    """The quantised coefficients of one component."""

    @property
    def values(self) -> NDArray[np.int16]:
        """Shape (block rows, block columns, 8, 8): vertical, then horizontal frequency."""
    @property
    def quant_table(self) -> Optional[NDArray[np.uint16]]:
        """Quantisation steps, shape (8, 8); None if the file defines none."""
    @property
    def name(self) -> str:
        """``y``, ``cb``, ``cr``, ..."""
    @property
    def id(self) -> int: ...
    @property
    def h(self) -> int:
        """Horizontal sampling factor."""
    @property
    def v(self) -> int:
        """Vertical sampling factor."""
    @property
    def width(self) -> int:
        """Columns of samples."""
    @property
    def height(self) -> int:
        """Rows of samples."""
    @property
    def blocks_wide(self) -> int: ...
    @property
    def blocks_high(self) -> int: ...
    @property
    def digest(self) -> str:
        """FNV-1a 64 of the values, 16 hex digits: the same after any lossless transcode."""
    def dequantised(self) -> NDArray[np.int32]:
        """Coefficients times steps, shape (block rows, block columns, 8, 8)."""

@final
class Coefficients:
    """The quantised coefficients of one image."""

    @property
    def planes(self) -> tuple[Plane, ...]:
        """One a component, in frame order."""
    @property
    def width(self) -> int:
        """Columns of pixels as stored."""
    @property
    def height(self) -> int:
        """Lines of pixels as stored."""
    @property
    def precision(self) -> int:
        """Bits a sample."""
    @property
    def process(self) -> str: ...
    @property
    def color(self) -> str: ...
    @property
    def orientation(self) -> int:
        """EXIF orientation, 1..8."""
    @property
    def restart_interval(self) -> int: ...
    @property
    def scans(self) -> int: ...
    @property
    def warnings(self) -> tuple[Warning, ...]: ...
    @property
    def is_damaged(self) -> bool: ...
    @property
    def digest(self) -> tuple[str, ...]:
        """The digest of every plane."""
    def dequantised(self) -> list[NDArray[np.int32]]:
        """Dequantised coefficients of every plane."""
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Plane: ...
    def __iter__(self) -> Iterator[Plane]: ...

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
class Extraction:
    """The tensor of an image, and what was found on the way."""

    @property
    def tensor(self) -> _Tensor: ...
    @property
    def warnings(self) -> tuple[Warning, ...]: ...
    @property
    def is_damaged(self) -> bool: ...
    @property
    def saturated(self) -> int:
        """Values that did not fit the element type."""
    @property
    def format(self) -> Optional[str]: ...
    @property
    def reencoded(self) -> Optional[str]:
        """How it was re-encoded, None for a JPEG that is not in CMYK."""
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def precision(self) -> int: ...
    @property
    def process(self) -> str: ...
    @property
    def color(self) -> str: ...
    @property
    def orientation(self) -> int: ...

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
    ) -> NDArray[Any]: ...
    @overload
    def __call__(
        self, source: _Source, *, key: Optional[str] = None, on_error: Literal["none"]
    ) -> Optional[NDArray[Any]]: ...
    def extract(self, source: _Source, *, key: Optional[str] = None) -> Extraction: ...
    @overload
    def batch(
        self,
        sources: Sequence[_Source],
        *,
        keys: Optional[Sequence[str]] = None,
        threads: Optional[int] = None,
        out: Optional[NDArray[Any]] = None,
        on_error: Literal["raise"] = "raise",
    ) -> Union[NDArray[Any], list[NDArray[Any]]]: ...
    @overload
    def batch(
        self,
        sources: Sequence[_Source],
        *,
        keys: Optional[Sequence[str]] = None,
        threads: Optional[int] = None,
        out: Optional[NDArray[Any]] = None,
        on_error: Literal["none"],
    ) -> list[Optional[NDArray[Any]]]: ...
    @property
    def recipe(self) -> Recipe: ...
    @property
    def damaged(self) -> _Damaged: ...
    @property
    def reencode(self) -> bool: ...
    @property
    def limits(self) -> dict[str, int]: ...

def read(source: _Source, *, damaged: _Damaged = "refuse", limits: _Limits = None) -> Coefficients:
    """The quantised coefficients of a JPEG."""

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
