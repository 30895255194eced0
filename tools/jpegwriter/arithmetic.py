"""The binary arithmetic coder of T.81 annex D: probability states and the encoder. What is coded is not its business."""

# Table D.3: (Qe, next state after MPS, next state after LPS, switch MPS) for each of the 113 states.
STATES = (
    (0x5A1D, 1, 1, 1), (0x2586, 2, 14, 0), (0x1114, 3, 16, 0), (0x080B, 4, 18, 0), (0x03D8, 5, 20, 0),
    (0x01DA, 6, 23, 0), (0x00E5, 7, 25, 0), (0x006F, 8, 28, 0), (0x0036, 9, 30, 0), (0x001A, 10, 33, 0),
    (0x000D, 11, 35, 0), (0x0006, 12, 9, 0), (0x0003, 13, 10, 0), (0x0001, 13, 12, 0), (0x5A7F, 15, 15, 1),
    (0x3F25, 16, 36, 0), (0x2CF2, 17, 38, 0), (0x207C, 18, 39, 0), (0x17B9, 19, 40, 0), (0x1182, 20, 42, 0),
    (0x0CEF, 21, 43, 0), (0x09A1, 22, 45, 0), (0x072F, 23, 46, 0), (0x055C, 24, 48, 0), (0x0406, 25, 49, 0),
    (0x0303, 26, 51, 0), (0x0240, 27, 52, 0), (0x01B1, 28, 54, 0), (0x0144, 29, 56, 0), (0x00F5, 30, 57, 0),
    (0x00B7, 31, 59, 0), (0x008A, 32, 60, 0), (0x0068, 33, 62, 0), (0x004E, 34, 63, 0), (0x003B, 35, 32, 0),
    (0x002C, 9, 33, 0), (0x5AE1, 37, 37, 1), (0x484C, 38, 64, 0), (0x3A0D, 39, 65, 0), (0x2EF1, 40, 67, 0),
    (0x261F, 41, 68, 0), (0x1F33, 42, 69, 0), (0x19A8, 43, 70, 0), (0x1518, 44, 72, 0), (0x1177, 45, 73, 0),
    (0x0E74, 46, 74, 0), (0x0BFB, 47, 75, 0), (0x09F8, 48, 77, 0), (0x0861, 49, 78, 0), (0x0706, 50, 79, 0),
    (0x05CD, 51, 48, 0), (0x04DE, 52, 50, 0), (0x040F, 53, 50, 0), (0x0363, 54, 51, 0), (0x02D4, 55, 52, 0),
    (0x025C, 56, 53, 0), (0x01F8, 57, 54, 0), (0x01A4, 58, 55, 0), (0x0160, 59, 56, 0), (0x0125, 60, 57, 0),
    (0x00F6, 61, 58, 0), (0x00CB, 62, 59, 0), (0x00AB, 63, 61, 0), (0x008F, 32, 61, 0), (0x5B12, 65, 65, 1),
    (0x4D04, 66, 80, 0), (0x412C, 67, 81, 0), (0x37D8, 68, 82, 0), (0x2FE8, 69, 83, 0), (0x293C, 70, 84, 0),
    (0x2379, 71, 86, 0), (0x1EDF, 72, 87, 0), (0x1AA9, 73, 87, 0), (0x174E, 74, 72, 0), (0x1424, 75, 72, 0),
    (0x119C, 76, 74, 0), (0x0F6B, 77, 74, 0), (0x0D51, 78, 75, 0), (0x0BB6, 79, 77, 0), (0x0A40, 48, 77, 0),
    (0x5832, 81, 80, 1), (0x4D1C, 82, 88, 0), (0x438E, 83, 89, 0), (0x3BDD, 84, 90, 0), (0x34EE, 85, 91, 0),
    (0x2EAE, 86, 92, 0), (0x299A, 87, 93, 0), (0x2516, 71, 86, 0), (0x5570, 89, 88, 1), (0x4CA9, 90, 95, 0),
    (0x44D9, 91, 96, 0), (0x3E22, 92, 97, 0), (0x3824, 93, 99, 0), (0x32B4, 94, 99, 0), (0x2E17, 86, 93, 0),
    (0x56A8, 96, 95, 1), (0x4F46, 97, 101, 0), (0x47E5, 98, 102, 0), (0x41CF, 99, 103, 0), (0x3C3D, 100, 104, 0),
    (0x375E, 93, 99, 0), (0x5231, 102, 105, 0), (0x4C0F, 103, 106, 0), (0x4639, 104, 107, 0), (0x415E, 99, 103, 0),
    (0x5627, 106, 105, 1), (0x50E7, 107, 108, 0), (0x4B85, 103, 109, 0), (0x5597, 109, 110, 0), (0x504F, 107, 111, 0),
    (0x5A10, 111, 110, 1), (0x5522, 109, 112, 0), (0x59EB, 111, 112, 1),
)


class Context:
    """One adaptive context: a state of table D.3 and the sense of the more probable symbol."""

    __slots__ = ("state", "mps")

    def __init__(self):
        self.state, self.mps = 0, 0


class Encoder:
    """Encodes binary decisions into stuffed bytes (D.1). One encoder per restart interval."""

    FIXED = None  # stands for the context of F.1.4.4.2: Qe 0x5A1D, never adapting

    def __init__(self):
        self._code, self._interval, self._shifts = 0, 0x10000, 11  # Initenc, figure D.14
        self._held = None  # the last byte, held back because a carry may still reach it
        self._stacked = 0  # 0xFF bytes after it, which a carry would turn into zeros
        self._bytes = bytearray()

    def code(self, context, decision):
        """Encode one decision (0 or 1) in a context, adapting it."""
        qe, after_mps, after_lps, switch = STATES[context.state] if context else (0x5A1D, 0, 0, 0)
        mps = context.mps if context else 0
        self._interval -= qe
        if decision == mps:
            if self._interval >= 0x8000:
                return  # no renormalisation, so no adaptation
            if self._interval < qe:  # conditional exchange, figure D.4
                self._code += self._interval
                self._interval = qe
            if context:
                context.state = after_mps
        else:
            if self._interval >= qe:  # figure D.3
                self._code += self._interval
                self._interval = qe
            if context:
                context.state = after_lps
                context.mps = mps ^ switch
        self._renormalise()

    def finish(self):
        """Flush (figure D.15) and return the bytes; trailing zeros are dropped (figure D.16)."""
        top = (self._code + self._interval - 1) & 0xFFFF0000
        self._code = top + 0x8000 if top < self._code else top
        self._code <<= self._shifts
        self._byte_out()
        self._code <<= 8
        self._byte_out()
        self._release(0)
        while self._bytes and self._bytes[-1] == 0:
            self._bytes.pop()
        if self._bytes and self._bytes[-1] == 0xFF:
            self._bytes.append(0)  # the stuffed zero belongs to the 0xFF
        return bytes(self._bytes)

    def _renormalise(self):
        while True:  # figure D.7: at least one shift
            self._interval <<= 1
            self._code <<= 1
            self._shifts -= 1
            if self._shifts == 0:
                self._byte_out()
                self._shifts = 8
            if self._interval >= 0x8000:
                return

    def _byte_out(self):
        """Figure D.8."""
        top = self._code >> 19
        self._code &= 0x7FFFF
        if top == 0xFF:
            self._stacked += 1
            return
        self._release(top >> 8)
        self._held = top & 0xFF

    def _release(self, carry):
        """Write the held byte and the stacked ones, adding the carry."""
        if self._held is not None:
            self._emit(self._held + carry)
        for _ in range(self._stacked):
            self._emit(0x00 if carry else 0xFF)
        self._held, self._stacked = None, 0

    def _emit(self, byte):
        self._bytes.append(byte)
        if byte == 0xFF:
            self._bytes.append(0)
