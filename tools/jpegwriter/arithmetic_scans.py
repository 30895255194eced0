"""Arithmetic-coded scans, sequential (T.81 F.1.4) and progressive (G.1.3): which decisions, in which contexts.

Contexts per table slot: DC has 49 (table F.4), AC has 245 (table F.5). Conditioning (B.2.4.3): DC is U << 4 | L with
defaults L=0, U=1; AC is Kx with default 5.
"""

from .arithmetic import Context, Encoder
from .spec import ZIGZAG

X1_DC = 20  # first magnitude-category context of DC
X2_LOW, X2_HIGH = 189, 217  # the same of AC, for k up to Kx and beyond


def encode_intervals(frame, scan, restart_interval, conditioning, is_progressive):
    """Entropy-coded bytes of each restart interval."""
    units = frame.visit(scan.components)
    step = restart_interval or max(len(units), 1)
    return [_Interval(frame, scan, conditioning, is_progressive).encode(units[i:i + step])
            for i in range(0, len(units), step)]


class _Interval:
    """One restart interval: all contexts and predictions start fresh (F.1.4.4.1.5)."""

    def __init__(self, frame, scan, conditioning, is_progressive):
        self.frame, self.scan, self.conditioning, self.is_progressive = frame, scan, conditioning, is_progressive
        self.coder = Encoder()
        self.dc_contexts, self.ac_contexts = {}, {}
        self.predicted = dict.fromkeys(scan.components, 0)
        self.last_difference = dict.fromkeys(scan.components, 0)  # context base 0, 4, 8, 12 or 16 (figure F.10)

    def encode(self, units):
        for unit in units:
            for index, x, y in unit:
                self._block(index, self.frame.block(index, x, y))
        return self.coder.finish()

    def _block(self, index, block):
        scan = self.scan
        dc_slot, ac_slot = scan.slots(index)
        if not self.is_progressive:
            self._dc(index, dc_slot, block[0])
            self._ac(ac_slot, [block[ZIGZAG[k]] for k in range(64)], 1, 63)
        elif scan.ss == 0 and scan.ah == 0:
            self._dc(index, dc_slot, block[0] >> scan.al)
        elif scan.ss == 0:
            self.coder.code(Encoder.FIXED, (block[0] >> scan.al) & 1)
        else:
            levels = [(abs(block[p]) >> scan.al) * (1 if block[p] > 0 else -1) for p in ZIGZAG]
            (self._refine_ac if scan.ah else self._ac)(ac_slot, levels, scan.ss, scan.se)

    def _dc(self, index, slot, value):
        """F.1.4.1: the difference from the prediction, conditioned on the difference before it."""
        contexts = self.dc_contexts.setdefault(slot, [Context() for _ in range(49)])
        code = self.coder.code
        difference = value - self.predicted[index]
        self.predicted[index] = value
        base = self.last_difference[index]
        if difference == 0:
            code(contexts[base], 0)
            self.last_difference[index] = 0
            return
        code(contexts[base], 1)
        negative = int(difference < 0)
        code(contexts[base + 1], negative)
        rest = abs(difference) - 1
        place = base + 2 + negative
        top = 0
        if rest:
            code(contexts[place], 1)
            top, place = self._category(contexts, X1_DC, rest)
        code(contexts[place], 0)
        bounds = self.conditioning.get(("dc", slot), 0x10)
        lower, upper = (1 << (bounds & 15)) >> 1, (1 << (bounds >> 4)) >> 1
        if top < lower:
            self.last_difference[index] = 0
        else:
            self.last_difference[index] = (8 if negative else 4) + (8 if top > upper else 0)
        self._low_bits(contexts, place + 14, rest, top)

    def _category(self, contexts, place, rest):
        """Figure F.8: one decision per doubling; returns the leading bit and the context that ends the category."""
        top = 1
        while rest >> top.bit_length():
            self.coder.code(contexts[place], 1)
            top <<= 1
            place += 1
        return top, place

    def _low_bits(self, contexts, place, rest, top):
        """Figure F.9: the bits below the leading one."""
        while top > 1:
            top >>= 1
            self.coder.code(contexts[place], int(bool(rest & top)))

    def _ac(self, slot, levels, first, last):
        """F.1.4.2 (sequential) and G.1.3.2 (first progressive scan of a band)."""
        contexts = self.ac_contexts.setdefault(slot, [Context() for _ in range(245)])
        code = self.coder.code
        end = max((k for k in range(first, last + 1) if levels[k]), default=first - 1)
        k = first
        while k <= end:
            code(contexts[3 * (k - 1)], 0)  # the block does not end here
            while levels[k] == 0:
                code(contexts[3 * (k - 1) + 1], 0)
                k += 1
            place = 3 * (k - 1)
            code(contexts[place + 1], 1)
            code(Encoder.FIXED, int(levels[k] < 0))
            self._ac_magnitude(contexts, slot, k, place + 2, abs(levels[k]) - 1)
            k += 1
        if k <= last:
            code(contexts[3 * (k - 1)], 1)

    def _ac_magnitude(self, contexts, slot, k, place, rest):
        code = self.coder.code
        top = 0
        if rest:
            code(contexts[place], 1)
            top = 1
            if rest > 1:
                code(contexts[place], 1)
                high = k > self.conditioning.get(("ac", slot), 5)
                top, place = self._category(contexts, X2_HIGH if high else X2_LOW, rest >> 1)
                top <<= 1
        code(contexts[place], 0)
        self._low_bits(contexts, place + 14, rest, top)

    def _refine_ac(self, slot, levels, first, last):
        """G.1.3.3: new coefficients, and the next bit of the known ones."""
        contexts = self.ac_contexts.setdefault(slot, [Context() for _ in range(245)])
        code = self.coder.code
        band = range(first, last + 1)
        end = max((k for k in band if levels[k]), default=first - 1)
        known_end = max((k for k in band if abs(levels[k]) > 1), default=first - 1)
        k = first
        while k <= end:
            if k > known_end:
                code(contexts[3 * (k - 1)], 0)
            while levels[k] == 0:
                code(contexts[3 * (k - 1) + 1], 0)
                k += 1
            place = 3 * (k - 1)
            if abs(levels[k]) > 1:
                code(contexts[place + 2], abs(levels[k]) & 1)
            else:
                code(contexts[place + 1], 1)
                code(Encoder.FIXED, int(levels[k] < 0))
            k += 1
        if k <= last:
            code(contexts[3 * (k - 1)], 1)
