"""Sequential DCT scans as Huffman tokens (T.81 F.1.2). One list of tokens per restart interval."""

from .spec import ZIGZAG


def magnitude(value):
    """(category, extra bits) of a signed value: tables F.1 and F.2."""
    category = abs(value).bit_length()
    return category, value if value >= 0 else value + (1 << category) - 1


def encode_intervals(frame, scan, restart_interval):
    """Tokens of a sequential scan, split at restart intervals (0: no restarts)."""
    units = frame.visit(scan.components)
    step = restart_interval or max(len(units), 1)
    return [_encode_interval(frame, scan, units[i:i + step]) for i in range(0, len(units), step)]


def _encode_interval(frame, scan, units):
    tokens = []
    predicted = dict.fromkeys(scan.components, 0)  # F.1.1.5.1: the DC prediction starts at 0 after every restart
    for unit in units:
        for index, x, y in unit:
            dc_slot, ac_slot = scan.slots(index)
            block = frame.block(index, x, y)
            category, extra = magnitude(block[0] - predicted[index])
            predicted[index] = block[0]
            tokens.append((("dc", dc_slot), category, extra, category))
            _encode_ac(tokens, ("ac", ac_slot), block)
    return tokens


def _encode_ac(tokens, key, block):
    run = 0
    for k in range(1, 64):
        value = block[ZIGZAG[k]]
        if value == 0:
            run += 1
            continue
        while run > 15:
            tokens.append((key, 0xF0, 0, 0))  # ZRL: sixteen zeros
            run -= 16
        category, extra = magnitude(value)
        tokens.append((key, run << 4 | category, extra, category))
        run = 0
    if run:
        tokens.append((key, 0x00, 0, 0))  # EOB
