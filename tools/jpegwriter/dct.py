"""Samples to quantised coefficients in integers, so that every machine makes the same file.

The cosine table is rounded to 2^-20; the result can differ from an exact DCT by one quantisation step at a tie, which
does not matter here: the file's truth is the coefficients, not the samples.
"""

import math

_BITS = 20
_BASIS = [[round((1 << _BITS) * 0.5 * (math.sqrt(0.5) if k == 0 else 1.0) * math.cos((2 * n + 1) * k * math.pi / 16))
           for n in range(8)] for k in range(8)]


def quantised_blocks(plane, table, precision=8):
    """Blocks (64 row-major values each) of a plane, a list of rows of unsigned samples, edges replicated."""
    high, wide = len(plane), len(plane[0])
    level = 1 << (precision - 1)
    blocks = []
    for top in range(0, high, 8):
        for left in range(0, wide, 8):
            rows = [plane[min(top + y, high - 1)] for y in range(8)]
            samples = [[row[min(left + x, wide - 1)] - level for x in range(8)] for row in rows]
            blocks.append(_transform(samples, table, precision))
    return blocks


def _transform(samples, table, precision):
    across = [[sum(row[n] * _BASIS[u][n] for n in range(8)) for u in range(8)] for row in samples]
    largest = (1 << (precision + 2)) - 1  # keeps AC within the categories of table F.2
    block = []
    for v in range(8):
        for u in range(8):
            total = sum(_BASIS[v][n] * across[n][u] for n in range(8))
            step = table[8 * v + u] << (2 * _BITS)
            value = (abs(total) + step // 2) // step * (1 if total > 0 else -1)
            block.append(max(-largest, min(largest, value)))
    return block
