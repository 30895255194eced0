"""Bits to entropy-coded bytes: most significant bit first, 0xFF followed by a stuffed zero (T.81 F.1.2.3)."""


class BitWriter:
    """Collects bits; `finish` pads the last byte with ones and returns the stuffed bytes."""

    def __init__(self):
        self._bytes = bytearray()
        self._pending = 0
        self._count = 0

    def put(self, value, count):
        """Append the low `count` bits of `value`."""
        self._pending = (self._pending << count) | (value & ((1 << count) - 1))
        self._count += count
        while self._count >= 8:
            self._count -= 8
            self._emit((self._pending >> self._count) & 0xFF)
        self._pending &= (1 << self._count) - 1

    def finish(self):
        if self._count:
            spare = 8 - self._count
            self.put((1 << spare) - 1, spare)
        return bytes(self._bytes)

    def _emit(self, byte):
        self._bytes.append(byte)
        if byte == 0xFF:
            self._bytes.append(0)
