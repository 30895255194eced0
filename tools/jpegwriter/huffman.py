"""Huffman tables: canonical codes from (BITS, HUFFVAL), and optimal tables from counts (T.81 annex C, K.2).

Tokens are what the scan encoders produce and this module writes: (table key, symbol, extra bits, extra length). The
table key is ("dc" | "ac", slot), or None where only the extra bits are written.
"""

from collections import Counter

from . import spec
from .bits import BitWriter


class HuffmanTable:
    """A table as DHT carries it: `bits[n]` codes of length n+1, `values` in order of code."""

    def __init__(self, bits, values):
        self.bits, self.values = tuple(bits), tuple(values)

    def codes(self):
        """symbol -> (code, length), by the canonical rule of C.2."""
        table, code, position = {}, 0, 0
        for length, count in enumerate(self.bits, start=1):
            for _ in range(count):
                table[self.values[position]] = (code, length)
                code += 1
                position += 1
            code <<= 1
        return table

    def payload(self, key):
        """The bytes of this table inside a DHT segment (B.2.4.2)."""
        kind, slot = key
        return bytes([(0x10 if kind == "ac" else 0) | slot]) + bytes(self.bits) + bytes(self.values)

    @classmethod
    def optimal(cls, counts):
        """The shortest table for these symbol counts with codes of at most 16 bits and no all-ones code (K.2)."""
        frequency = dict(counts)
        frequency[256] = 1  # reserves the all-ones code; loses every tie, so it gets the longest code
        chain = {symbol: [symbol] for symbol in frequency}
        size = dict.fromkeys(frequency, 0)
        while len(frequency) > 1:
            low = min(frequency, key=lambda s: (frequency[s], -s))
            weight = frequency.pop(low)
            other = min(frequency, key=lambda s: (frequency[s], -s))
            frequency[other] += weight
            chain[other] += chain.pop(low)
            for symbol in chain[other]:
                size[symbol] += 1
        lengths = Counter(size.values())
        return cls(_limit_to_16(lengths), sorted((s for s in size if s != 256), key=lambda s: (size[s], s)))

    @classmethod
    def long_codes(cls, counts):
        """A wasteful legal table: the rarest symbols get 2..9 bits, all common ones 16 bits."""
        by_rarity = sorted(counts, key=lambda s: (counts[s], s))
        short, long = by_rarity[: min(8, len(by_rarity) - 1)], by_rarity[min(8, len(by_rarity) - 1):]
        return cls([0] + [1 if i < len(short) else 0 for i in range(14)] + [len(long)], short + long)


def _limit_to_16(lengths):
    """Figure K.3: shorten codes over 16 bits, then drop the reserved all-ones code from the longest length."""
    bits = [lengths.get(n, 0) for n in range(1, max(max(lengths), 16) + 1)]
    for i in range(len(bits) - 1, 15, -1):
        while bits[i] > 0:
            j = i - 2
            while bits[j] == 0:
                j -= 1
            bits[i] -= 2
            bits[i - 1] += 1
            bits[j + 1] += 2
            bits[j] -= 1
    last = max(i for i in range(16) if bits[i])
    bits[last] -= 1
    return bits[:16]


def count_symbols(intervals):
    """table key -> Counter of symbols over the tokens of a scan."""
    counts = {}
    for tokens in intervals:
        for key, symbol, _, _ in tokens:
            if key is not None:
                counts.setdefault(key, Counter())[symbol] += 1
    return counts


def write_tokens(tokens, tables):
    """Entropy-coded bytes of one restart interval."""
    writer = BitWriter()
    codes = {key: table.codes() for key, table in tables.items()}
    for key, symbol, extra, length in tokens:
        if key is not None:
            writer.put(*codes[key][symbol])
        if length:
            writer.put(extra, length)
    return writer.finish()


STANDARD = {
    ("dc", 0): HuffmanTable(*spec.DC_LUMA), ("dc", 1): HuffmanTable(*spec.DC_CHROMA),
    ("ac", 0): HuffmanTable(*spec.AC_LUMA), ("ac", 1): HuffmanTable(*spec.AC_CHROMA),
}
