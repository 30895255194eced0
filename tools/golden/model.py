"""The same steps in float64 and without rounding or clipping: how near a linear method can come to the golden tensor.

What enters: the path of a three-component JPEG and its EXIF orientation. What leaves: (24, 56, 56) float64. Every step is
a dense matrix on an axis of the whole plane; nothing is done on blocks except the two transforms.
"""

import jpeglib
import numpy as np

from . import pipeline

DCT = np.array([[np.sqrt((2 if u else 1) / 8) * np.cos((2 * x + 1) * u * np.pi / 16) for x in range(8)]
                for u in range(8)])
TURNED = {1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1], 4: lambda p: p[::-1],
          5: lambda p: p.T, 6: lambda p: p.T[:, ::-1], 7: lambda p: p.T[::-1, ::-1], 8: lambda p: p.T[::-1]}


def bilinear(samples, wanted, step):
    """(wanted, samples): output o lies at (o + 1/2) * step - 1/2, ends repeated."""
    at = (np.arange(wanted) + 0.5) * step - 0.5
    below = np.floor(at).astype(int)
    matrix = np.zeros((wanted, samples))
    rows = np.arange(wanted)
    np.add.at(matrix, (rows, np.clip(below, 0, samples - 1)), 1 - (at - below))
    np.add.at(matrix, (rows, np.clip(below + 1, 0, samples - 1)), at - below)
    return matrix


def nearest(samples, wanted, step):
    """(wanted, samples): every sample repeated."""
    matrix = np.zeros((wanted, samples))
    matrix[np.arange(wanted), np.minimum((np.arange(wanted) * step).astype(int), samples - 1)] = 1
    return matrix


def component(blocks, factors, largest, size, upsample):
    """A component's samples, less 128, at the size of the image."""
    rows, columns = blocks.shape[:2]
    plane = np.einsum("va,hwvu,ub->hawb", DCT, blocks.astype(float), DCT).reshape(rows * 8, columns * 8)
    for axis in (0, 1):
        true = -(-size[axis] * factors[axis] // largest[axis])
        matrix = upsample(true, size[axis], factors[axis] / largest[axis])
        plane = np.moveaxis(np.tensordot(matrix, np.moveaxis(plane, axis, 0)[:true], 1), 0, axis)
    return plane


def tensor(path, orientation=1, upsample=bilinear, offset=pipeline.crop_offset):
    """The tensor exact arithmetic gives. `upsample` and `offset` are what other readings of the pipeline would change."""
    image = jpeglib.read_dct(str(path))
    factors = [tuple(int(f) for f in pair) for pair in image.samp_factor]  # (vertical, horizontal)
    largest = tuple(max(f[axis] for f in factors) for axis in (0, 1))
    crop, planes = pipeline.CROP, []
    # Doubled by cv2, then averaged in pairs by the encoder.
    smooth = np.kron(np.eye(crop), [[0.5, 0.5]]) @ bilinear(crop, 2 * crop, 0.5)
    for index, blocks in enumerate(pipeline.dequantised(path)):
        plane = TURNED[orientation](component(blocks, factors[index], largest, (image.height, image.width), upsample))
        for axis, length in enumerate(pipeline.resized(*plane.shape)):
            start = offset(length)
            matrix = bilinear(plane.shape[axis], length, plane.shape[axis] / length)[start:start + crop]
            matrix = smooth @ matrix if index else matrix
            plane = np.moveaxis(np.tensordot(matrix, np.moveaxis(plane, axis, 0), 1), 0, axis)
        grid = plane.reshape(crop // 8, 8, crop // 8, 8)
        planes.append(np.einsum("va,hawb,ub->hwvu", DCT, grid, DCT))
    return pipeline.select(planes)


def snr(golden, other):
    """10 log10 of the golden energy over that of the difference, in dB."""
    golden = golden.astype(float)
    return 10 * np.log10(np.sum(golden ** 2) / np.sum((other - golden) ** 2))
