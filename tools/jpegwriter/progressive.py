"""Progressive DCT scans as Huffman tokens (T.81 G.1.2). One list of tokens per restart interval.

Four kinds of scan: DC first, DC refinement, AC first, AC refinement. Coefficients reach here at full precision; the
point transform (G.1.2.1: arithmetic shift for DC, division towards zero for AC) is applied on the way out.
"""

from .sequential import magnitude
from .spec import ZIGZAG


def encode_intervals(frame, scan, restart_interval):
    """Tokens of a progressive scan, split at restart intervals (0: no restarts)."""
    units = frame.visit(scan.components)
    step = restart_interval or max(len(units), 1)
    if scan.ss == 0:
        encode = _refine_dc if scan.ah else _first_dc
    else:
        encode = _refine_ac if scan.ah else _first_ac
    return [encode(frame, scan, units[i:i + step]) for i in range(0, len(units), step)]


def _first_dc(frame, scan, units):
    tokens = []
    predicted = dict.fromkeys(scan.components, 0)
    for unit in units:
        for index, x, y in unit:
            value = frame.block(index, x, y)[0] >> scan.al
            category, extra = magnitude(value - predicted[index])
            predicted[index] = value
            tokens.append((("dc", scan.slots(index)[0]), category, extra, category))
    return tokens


def _refine_dc(frame, scan, units):
    return [(None, 0, (frame.block(*place)[0] >> scan.al) & 1, 1) for unit in units for place in unit]


class _EndOfBands:
    """A pending run of blocks that end early, with the correction bits that follow its symbol (G.1.2.3)."""

    def __init__(self, tokens, key, longest):
        self.tokens, self.key, self.longest = tokens, key, longest
        self.run, self.bits = 0, []

    def add(self, bits=()):
        self.run += 1
        self.bits += bits
        if self.run == self.longest:
            self.flush()

    def flush(self):
        if self.run:
            exponent = self.run.bit_length() - 1
            self.tokens.append((self.key, exponent << 4, self.run - (1 << exponent), exponent))
            put_bits(self.tokens, self.bits)
            self.run, self.bits = 0, []


def put_bits(tokens, bits):
    tokens.extend((None, 0, bit, 1) for bit in bits)


def _first_ac(frame, scan, units):
    tokens = []
    key = ("ac", scan.slots(scan.components[0])[1])
    ends = _EndOfBands(tokens, key, scan.longest_eob_run)
    for unit in units:
        block = frame.block(*unit[0])
        run = 0
        for k in range(scan.ss, scan.se + 1):
            value = block[ZIGZAG[k]]
            value = (abs(value) >> scan.al) * (1 if value > 0 else -1)
            if value == 0:
                run += 1
                continue
            ends.flush()
            while run > 15:
                tokens.append((key, 0xF0, 0, 0))
                run -= 16
            category, extra = magnitude(value)
            tokens.append((key, run << 4 | category, extra, category))
            run = 0
        if run:
            ends.add()
    ends.flush()
    return tokens


def _refine_ac(frame, scan, units):
    tokens = []
    key = ("ac", scan.slots(scan.components[0])[1])
    ends = _EndOfBands(tokens, key, scan.longest_eob_run)
    for unit in units:
        block = frame.block(*unit[0])
        level = {k: abs(block[ZIGZAG[k]]) >> scan.al for k in range(scan.ss, scan.se + 1)}
        last_new = max((k for k in level if level[k] == 1), default=-1)
        run, corrections = 0, []
        for k in range(scan.ss, scan.se + 1):
            if level[k] == 0:
                run += 1
                continue
            while run > 15 and k <= last_new:  # past the last new coefficient an end of band covers the zeros
                ends.flush()
                tokens.append((key, 0xF0, 0, 0))
                put_bits(tokens, corrections)
                run, corrections = run - 16, []
            if level[k] > 1:  # known from an earlier scan: only its next bit, written after the next symbol
                corrections.append(level[k] & 1)
                continue
            ends.flush()
            tokens.append((key, run << 4 | 1, int(block[ZIGZAG[k]] > 0), 1))
            put_bits(tokens, corrections)
            run, corrections = 0, []
        if run or corrections:
            ends.add(corrections)
    ends.flush()
    return tokens
