"""The frame: size, components, block grids, and the order in which a scan visits blocks (T.81 annex A.1, A.2).

Blocks here are lists of 64 quantised coefficients in row-major order. A component holds its *true* grid only: the
blocks that cover ceil(W*H_i/H_max) x ceil(H*V_i/V_max) samples. Blocks that an interleaved scan needs beyond it (MCU
padding) come from the padding rule.
"""

from dataclasses import dataclass, field


def ceil_div(numerator, denominator):
    return -(-numerator // denominator)


@dataclass
class Component:
    """One component: its identifier (8 bits), sampling factors 1..4, quantisation table slot, and true-size blocks."""

    id: int
    h: int
    v: int
    tq: int
    blocks: list = field(default_factory=list)


@dataclass
class Frame:
    """A frame. `padding` is "edge" (DC of the nearest true block, AC zero), "zero", or "junk" (pseudo-random)."""

    width: int
    height: int
    components: list
    precision: int = 8
    padding: str = "edge"

    @property
    def h_max(self):
        return max(c.h for c in self.components)

    @property
    def v_max(self):
        return max(c.v for c in self.components)

    def samples(self, index):
        """(width, height) of a component in samples."""
        c = self.components[index]
        return ceil_div(self.width * c.h, self.h_max), ceil_div(self.height * c.v, self.v_max)

    def grid(self, index):
        """(width, height) of a component's true grid in blocks."""
        width, height = self.samples(index)
        return ceil_div(width, 8), ceil_div(height, 8)

    def mcus(self):
        """(width, height) of the frame in MCUs of an interleaved scan."""
        return ceil_div(self.width, 8 * self.h_max), ceil_div(self.height, 8 * self.v_max)

    def block(self, index, x, y):
        """The block at (x, y) of a component's grid, padding included."""
        c = self.components[index]
        wide, high = self.grid(index)
        if x < wide and y < high:
            return c.blocks[y * wide + x]
        if self.padding == "edge":
            nearest = c.blocks[min(y, high - 1) * wide + min(x, wide - 1)]
            return [nearest[0]] + [0] * 63
        if self.padding == "zero":
            return [0] * 64
        return _junk_block(index, x, y)

    def visit(self, indices):
        """The MCUs of a scan over these components, each a list of (component index, x, y)."""
        if len(indices) == 1:  # A.2.2: a single component is never interleaved, and has no padding blocks
            wide, high = self.grid(indices[0])
            return [[(indices[0], x, y)] for y in range(high) for x in range(wide)]
        units = []
        across, down = self.mcus()
        for my in range(down):
            for mx in range(across):
                unit = []
                for i in indices:
                    c = self.components[i]
                    unit.extend((i, mx * c.h + x, my * c.v + y) for y in range(c.v) for x in range(c.h))
                units.append(unit)
        return units


def _junk_block(index, x, y):
    """Small pseudo-random coefficients: a decoder that keeps padding blocks will show them."""
    state = (index * 7919 + x * 104729 + y * 1299709 + 12345) & 0xFFFFFFFF
    block = [0] * 64
    for _ in range(6):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        block[(state >> 24) & 63] = ((state >> 12) & 63) - 31
    return block
