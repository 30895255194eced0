"""Why an image gave no result, or a recipe was refused.

Operating system errors are Python's own (``FileNotFoundError`` and the other kinds of ``OSError``), and so is
``MemoryError``. All of them pickle.
"""

from __future__ import annotations

from typing import Any, Optional

__all__ = [
    "DamagedError",
    "JpegError",
    "LimitError",
    "MalformedError",
    "MismatchError",
    "NotJpegError",
    "RecipeError",
    "ReencodeError",
    "UnsupportedError",
]


class JpegError(Exception):
    """An image that gave no result.

    ``kind`` is the error's name in manifests, ``offset`` the byte offset of what is wrong or None, ``path`` the file
    or None; ``index``, where the image was one of a batch, its place there.
    """

    kind: Optional[str] = None
    offset: Optional[int] = None
    path: Optional[str] = None
    index: Optional[int] = None

    def __init__(self, message: str = "", **attributes: Any) -> None:
        super().__init__(message)
        self.__dict__.update(attributes)


class MalformedError(JpegError):
    """The bytes break the JPEG standard (ITU-T T.81) in a place that leaves nothing to decode."""


class UnsupportedError(JpegError):
    """A valid file without DCT coefficients, or without a single set of them: lossless, hierarchical, JPEG-LS."""


class LimitError(JpegError):
    """A limit would be exceeded: ``which``, as the limits are named, ``found`` and ``limit``."""

    which: Optional[str] = None
    found: Optional[int] = None
    limit: Optional[int] = None


class NotJpegError(JpegError):
    """The bytes are no JPEG; ``format`` is what they seem to be."""

    format: Optional[str] = None


class DamagedError(JpegError):
    """The header is good and the data after it is damaged. ``damaged="keep"`` takes what is left."""


class MismatchError(JpegError):
    """The recipe does not fit the image."""


class ReencodeError(JpegError):
    """An image that is no JPEG could not be decoded or made into one."""


class RecipeError(ValueError):
    """A recipe that cannot be."""
