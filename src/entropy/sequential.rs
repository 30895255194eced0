//! One block of a sequential Huffman scan (T.81 F.2.2).

use super::{BitReader, Flaws, HuffmanTable};
use crate::scans::Block;

/// Decodes one block into `block`, which must be zero. `prediction` is the DC prediction of its component.
#[inline]
pub(crate) fn decode_block(
    bits: &mut BitReader<'_>,
    dc: &HuffmanTable,
    ac: &HuffmanTable,
    prediction: &mut i32,
    block: &mut Block,
    flaws: &mut Flaws,
) {
    bits.refill();
    // Category of the DC difference: 0..=15 by the table's making.
    let category = u32::from(dc.read_symbol(bits, flaws));
    *prediction = prediction.wrapping_add(bits.read_extended(category));
    block[0] = flaws.store(*prediction);
    let mut k = 0;
    while k < 63 {
        bits.refill();
        // Run of zeros (4 bits), category (4 bits).
        let symbol = ac.read_symbol(bits, flaws);
        let (run, category) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if category == 0 {
            if run < 15 {
                break;
            }
            k += 16;
            flaws.run_past_end |= k > 63;
            continue;
        }
        k += run + 1;
        if k > 63 {
            // Where libjpeg puts it.
            flaws.run_past_end = true;
            k = 63;
        }
        block[k] = bits.read_extended(category) as i16;
    }
}
