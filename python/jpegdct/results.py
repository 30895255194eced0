"""What ``read`` and ``Extractor.extract`` give: plain data with arrays in it. It copies and pickles.

Nothing here compares arrays: two results are equal if they are the same object. ``digest`` says whether coefficients
are the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Optional, Union, overload

import numpy as np
from numpy.typing import NDArray

from . import _jpegdct

__all__ = ["Coefficients", "Extraction", "Plane", "Warning"]


@dataclasses.dataclass(frozen=True, repr=False)
class Warning:
    """Something odd that decoding survived."""

    offset: int
    """Byte offset in the file."""
    message: str
    """What is odd."""
    is_damage: bool
    """Whether coefficients may be lost or wrong."""

    def __str__(self) -> str:
        return f"byte {self.offset}: {self.message}"

    def __repr__(self) -> str:
        return f"<Warning {self}{' (damage)' if self.is_damage else ''}>"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Plane:
    """The quantised coefficients of one component."""

    name: str
    """``y``, ``cb``, ``cr``, ..."""
    id: int
    """As the file numbers it, 0..255."""
    h: int
    """Horizontal sampling factor, 1..4."""
    v: int
    """Vertical sampling factor, 1..4."""
    width: int
    """Columns of samples."""
    height: int
    """Rows of samples."""
    values: NDArray[np.int16]
    """Shape (block rows, block columns, 8, 8): vertical, then horizontal frequency."""
    quant_table: Optional[NDArray[np.uint16]]
    """Quantisation steps, shape (8, 8); None if the file defines none."""

    @property
    def blocks_wide(self) -> int:
        """Columns of blocks: ``width`` / 8, rounded up."""
        return int(self.values.shape[1])

    @property
    def blocks_high(self) -> int:
        """Rows of blocks: ``height`` / 8, rounded up."""
        return int(self.values.shape[0])

    @property
    def digest(self) -> str:
        """Fingerprint of the values as they are now, 16 hex digits: the same after any lossless transcode. FNV-1a 64
        over them as little-endian int16."""
        return _jpegdct.digest(self.values)

    def dequantised(self) -> NDArray[np.int32]:
        """Coefficients times steps: shape (block rows, block columns, 8, 8), units of an orthonormal DCT of
        (sample - 128). ValueError if the file defines no table."""
        if self.quant_table is None:
            raise ValueError(f"component {self.name} has no quantisation table")
        return np.multiply(self.values, self.quant_table, dtype=np.int32)

    def __repr__(self) -> str:
        blocks = f"{self.blocks_wide} x {self.blocks_high} blocks"
        return f"<Plane {self.name} (id {self.id}): {blocks}, sampling {self.h}x{self.v}>"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class _Image:
    """What is known of a JPEG that was decoded."""

    width: int
    """Columns of pixels as stored."""
    height: int
    """Lines of pixels as stored."""
    precision: int
    """Bits a sample."""
    process: str
    """``baseline``, ``extended``, ``progressive``, ``arithmetic`` or ``arithmetic_progressive``."""
    color: str
    """``grayscale``, ``ycbcr``, ``rgb``, ``cmyk``, ``ycck`` or ``unknown``."""
    orientation: int
    """EXIF orientation, 1..8."""
    warnings: tuple[Warning, ...]
    """What was odd, in the order it was found."""

    @property
    def is_damaged(self) -> bool:
        """Whether coefficients may be lost or wrong."""
        return any(warning.is_damage for warning in self.warnings)

    def _repr(self, what: str) -> str:
        damaged = ", damaged" if self.is_damaged else ""
        return f"<{type(self).__name__} {what}{damaged}>"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Coefficients(_Image):
    """The quantised coefficients of one image: its planes, also by index and iteration."""

    planes: tuple[Plane, ...]
    """One a component, in frame order."""
    restart_interval: int
    """MCUs between restart markers, 0 without them."""
    scans: int
    """Scans decoded."""

    @property
    def digest(self) -> tuple[str, ...]:
        """The digest of every plane, see Plane.digest."""
        return tuple(plane.digest for plane in self.planes)

    def dequantised(self) -> list[NDArray[np.int32]]:
        """Dequantised coefficients of every plane, see Plane.dequantised."""
        return [plane.dequantised() for plane in self.planes]

    def __len__(self) -> int:
        return len(self.planes)

    @overload
    def __getitem__(self, index: int) -> Plane: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Plane, ...]: ...
    def __getitem__(self, index: Union[int, slice]) -> Union[Plane, tuple[Plane, ...]]:
        return self.planes[index]

    def __iter__(self) -> Iterator[Plane]:
        return iter(self.planes)

    def __repr__(self) -> str:
        planes = f"{len(self)} plane{'s' * (len(self) != 1)}"
        return self._repr(f"{self.width} x {self.height} {self.color}, {planes}, {self.process}")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Extraction(_Image):
    """The tensor of an image, and what was found on the way. Sizes and the like are those of the JPEG that was
    decoded."""

    tensor: Any
    """An array of the recipe's type; for the kinds ``planes`` and ``quantised`` a dict of arrays by name."""
    saturated: int
    """Values that did not fit the element type."""
    format: Optional[str]
    """``jpeg``, ``png`` ...: the format of the content."""
    reencoded: Optional[str]
    """How it was re-encoded, None for a JPEG that is not in CMYK."""

    def __repr__(self) -> str:
        if isinstance(self.tensor, dict):
            tensor = f"{len(self.tensor)} arrays"
        else:
            tensor = str(self.tensor.shape)
        return self._repr(f"{tensor} of {self.width} x {self.height} {self.color}")
