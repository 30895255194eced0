//! Whole MCUs of sequential Huffman scans, as fast as it goes.
//!
//! What enters: the window of a [`BitReader`], the tables, and zeroed or used blocks. What leaves: decoded blocks and the new
//! place in the window. Nothing is reported from here: at the first MCU that has anything wrong with it decoding stops
//! before that MCU, and [`super::sequential`] decodes it again, to the letter.

#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
use super::assembly;
use super::bits::{Bounds, Cursor, WindowBytes, extend};
use super::pairs::{END_OF_BLOCK, PairTable, WINDOW_BITS, meaning};
use super::{BitReader, HuffmanTable};
use crate::cpu::{Cpu, Kernel, Simd};
use crate::scans::Block;

/// Blocks behind the last one that decoding may overwrite.
pub(crate) const SLACK: usize = 3;

/// The tables of one component in a scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockTables<'t> {
    pub(super) dc: &'t HuffmanTable,
    pub(super) ac: &'t HuffmanTable,
    pub(super) pairs: &'t PairTable,
}

impl<'t> BlockTables<'t> {
    /// `None` if `ac` is no table of AC coefficients in a sequential scan.
    pub fn new(dc: &'t HuffmanTable, ac: &'t HuffmanTable) -> Option<BlockTables<'t>> {
        Some(BlockTables { dc, ac, pairs: ac.pairs.as_deref()? })
    }
}

/// Decodes MCUs into `blocks`, one after another, as many as `blocks` has place for or until something is wrong. Returns how
/// many.
///
/// `order` holds the place in `tables` and `predictions` of each block of an MCU; `blocks` ends with [`SLACK`] blocks that
/// are not decoded.
pub(crate) fn decode_mcus(
    cpu: Cpu,
    reader: &mut BitReader<'_>,
    tables: &[BlockTables<'_>; 4],
    predictions: &mut [i32; 4],
    order: &[u8],
    blocks: &mut [Block],
) -> usize {
    let bounds = reader.bounds();
    let (cursor, window) = reader.cursor();
    cpu.run(Mcus { cursor, window, bounds, tables, predictions, order, blocks })
}

/// The arguments of [`decode_mcus`].
struct Mcus<'a> {
    cursor: &'a mut Cursor,
    window: &'a WindowBytes,
    bounds: Bounds,
    tables: &'a [BlockTables<'a>; 4],
    predictions: &'a mut [i32; 4],
    order: &'a [u8],
    blocks: &'a mut [Block],
}

impl Kernel for Mcus<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> usize {
        let Mcus { cursor, window, bounds, tables, predictions, order, blocks } = self;
        let _ = simd;
        #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
        if let Some(_proof) = simd.v3() {
            // SAFETY: the proof has AVX2, BMI1 and BMI2.
            let mcus = unsafe { assembly::decode_mcus(cursor, window, bounds, tables, predictions, order, blocks) };
            if mcus > 0 {
                return mcus;
            }
        }
        let mcus = blocks.len().saturating_sub(SLACK) / order.len();
        for mcu in 0..mcus {
            if cursor.next > bounds.last_start {
                return mcu;
            }
            let (mut at, mut next_predictions, mut sound) = (*cursor, *predictions, true);
            for (i, &place) in order.iter().enumerate() {
                let place = usize::from(place & 3);
                let rest = blocks.get_mut(mcu * order.len() + i..).unwrap_or_default();
                let Some(block) = rest.as_flattened_mut().first_chunk_mut() else { return mcu };
                let (next, is_sound) = decode_block(at, window, tables[place], &mut next_predictions[place], block);
                at = next;
                sound &= is_sound;
            }
            if !sound || bounds.are_exceeded(at) {
                return mcu;
            }
            *cursor = at;
            *predictions = next_predictions;
        }
        mcus
    }
}

/// A block and its slack.
type Room = [i16; 64 * (1 + SLACK)];

/// Decodes one block: where decoding goes on, and whether the block is sound.
#[inline(always)]
fn decode_block(
    mut at: Cursor,
    window: &WindowBytes,
    tables: BlockTables<'_>,
    prediction: &mut i32,
    block: &mut Room,
) -> (Cursor, bool) {
    let BlockTables { dc, ac, pairs } = tables;
    block[..64].fill(0);
    at.refill(window);
    let entry = dc.lookup[(at.bits >> (64 - WINDOW_BITS)) as usize];
    let (length, size) = (u32::from(entry >> 8), u32::from(entry & 15));
    *prediction = prediction.wrapping_add(extend(at.bits << (length & 63), 63 - size));
    block[0] = *prediction as i16;
    let sound = entry != 0 && i32::from(block[0]) == *prediction;
    at.skip(length + size);
    // DC codes take at most 10 + 15 of 56 bits: one AC look-up is still covered.
    let mut k = 0;
    loop {
        match look_up(&mut at, window, ac, pairs, &mut k, block) {
            Step::More => {}
            Step::Ended(end) => return (at, sound && end),
        }
        at.refill(window);
        match look_up(&mut at, window, ac, pairs, &mut k, block) {
            Step::More => {}
            Step::Ended(end) => return (at, sound && end),
        }
    }
}

/// What a look-up led to.
enum Step {
    More,
    /// The block is complete, soundly or not.
    Ended(bool),
}

/// Decodes one or two coefficients. `k` is the place of the last one.
#[inline(always)]
fn look_up(
    at: &mut Cursor,
    window: &WindowBytes,
    ac: &HuffmanTable,
    pairs: &PairTable,
    k: &mut usize,
    block: &mut Room,
) -> Step {
    let pair = &pairs[(at.bits >> (64 - WINDOW_BITS)) as usize];
    let end = usize::from(END_OF_BLOCK);
    if pair.total == 0 {
        let Some((cursor, advance, value)) = look_up_long(*at, window, ac) else { return Step::Ended(false) };
        *at = cursor;
        *k += advance;
        block[*k & 255] = value;
        return if *k < 63 { Step::More } else { Step::Ended(*k == 63 || *k >= end) };
    }
    let first = *k + usize::from(pair.first_advance);
    *k += usize::from(pair.advance);
    block[first & 255] = pair.first_value;
    block[*k & 255] = extend(at.bits << (pair.before & 63), pair.shift.into()) as i16;
    if *k < 63 {
        at.skip(pair.total.into());
        return Step::More;
    }
    let is_first_last = first == 63;
    at.skip(u32::from(if is_first_last { pair.first_total } else { pair.total }));
    Step::Ended(is_first_last || *k == 63 || (end..end + 63).contains(k))
}

/// A coefficient whose code is longer than the window: where decoding goes on, how far it leads and what it is.
#[cold]
#[inline(never)]
pub(super) fn look_up_long(mut at: Cursor, window: &WindowBytes, ac: &HuffmanTable) -> Option<(Cursor, usize, i16)> {
    at.refill(window);
    let (length, symbol) = ac.find_long((at.bits >> 48) as u32)?;
    at.skip(length);
    let (advance, size) = meaning(symbol);
    let value = extend(at.bits, 63 - u32::from(size));
    at.skip(size.into());
    at.refill(window);
    Some((at, advance.into(), value as i16))
}

#[cfg(test)]
mod tests {
    use super::super::{Flaws, SegmentReader, SymbolKind, Window, sequential};
    use super::*;
    use crate::markers::Tables;

    /// Stuffed bytes from a seed, 0 and 0xff more often than chance has them.
    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let byte = (next() >> 32) as u8;
            bytes.push(if byte & 7 == 0 { [0, 0xff, 0xaa, 1][usize::from(byte >> 3) & 3] } else { byte });
            if bytes.last() == Some(&0xff) {
                bytes.push(0);
            }
        }
        bytes
    }

    /// The typical tables, DC and AC, for luma and for chroma.
    fn tables() -> [HuffmanTable; 4] {
        let mut tables = Tables::default();
        tables.fill_typical();
        let table = |spec: &Option<_>, kind| HuffmanTable::new(spec.as_ref().expect("typical"), kind).expect("sound");
        [
            table(&tables.dc[0], SymbolKind::Dc),
            table(&tables.ac[0], SymbolKind::Ac),
            table(&tables.dc[1], SymbolKind::Dc),
            table(&tables.ac[1], SymbolKind::Ac),
        ]
    }

    /// All MCUs of a segment, as many at a time as there are, those that are declined by the exact decoder.
    fn decode_all(cpu: Cpu, data: &[u8], tables: &[BlockTables<'_>; 4], order: &[u8]) -> (Vec<Block>, [i32; 4], Flaws) {
        let (mut window, mut predictions, mut flaws) = (Window::default(), [0; 4], Flaws::default());
        let mut reader = BitReader::new(data, 0, &mut window);
        let mut all = Vec::new();
        while !reader.is_exhausted() {
            let mut blocks = vec![[7; 64]; 300 * order.len() + SLACK];
            reader.prepare();
            let mcus = decode_mcus(cpu, &mut reader, tables, &mut predictions, order, &mut blocks);
            all.extend_from_slice(&blocks[..mcus * order.len()]);
            if mcus > 0 {
                continue;
            }
            for &place in order {
                let BlockTables { dc, ac, .. } = tables[usize::from(place)];
                let (mut block, prediction) = ([0; 64], &mut predictions[usize::from(place)]);
                sequential::decode_block(&mut reader, dc, ac, prediction, &mut block, &mut flaws);
                all.push(block);
            }
        }
        (all, predictions, flaws)
    }

    #[test]
    fn every_level_gives_the_same_of_long_runs() {
        let [dc0, ac0, dc1, ac1] = tables();
        let (luma, chroma) = (BlockTables::new(&dc0, &ac0).unwrap(), BlockTables::new(&dc1, &ac1).unwrap());
        let tables = [luma, chroma, chroma, luma];
        for order in [&[0][..], &[0, 1, 2], &[0, 0, 0, 0, 1, 2], &[3, 2, 1, 0, 3, 2, 1, 0, 3, 2]] {
            for seed in 0..8 {
                let data = noise(seed + 100, 60_000);
                let expected = decode_all(Cpu::at_most(crate::cpu::Level::Portable), &data, &tables, order);
                assert!(expected.0.len() > 500);
                for cpu in crate::cpu::all() {
                    assert!(decode_all(cpu, &data, &tables, order) == expected, "seed {seed}, {cpu:?}, {order:?}");
                }
            }
        }
    }

    #[test]
    fn equal_to_the_exact_decoder_on_every_level_or_declined() {
        let [dc0, ac0, dc1, ac1] = tables();
        let (luma, chroma) = (BlockTables::new(&dc0, &ac0).unwrap(), BlockTables::new(&dc1, &ac1).unwrap());
        assert!(BlockTables::new(&dc0, &dc1).is_none(), "a table without pairs");
        let tables = [luma, chroma, chroma, luma];
        let order = [0, 0, 1, 2];
        // Miri looks at every step of a few of them.
        let (seeds, length) = if cfg!(miri) { (1, 3000) } else { (16, 40_000) };
        let (mut taken, mut declined) = (0, 0);
        for cpu in crate::cpu::all() {
            for seed in 0..seeds {
                let data = noise(seed, length);
                let (mut window, mut exact_window) = (Window::default(), Window::default());
                let mut fast = BitReader::new(&data, 0, &mut window);
                let mut exact = BitReader::new(&data, 0, &mut exact_window);
                let (mut predictions, mut exact_predictions) = ([0; 4], [0; 4]);
                while !exact.is_exhausted() {
                    let mut blocks = [[7; 64]; 4 + SLACK];
                    let (mut exact_blocks, mut flaws) = ([[0; 64]; 4], Flaws::default());
                    fast.prepare();
                    exact.prepare();
                    let decoded = decode_mcus(cpu, &mut fast, &tables, &mut predictions, &order, &mut blocks);
                    for (block, &place) in exact_blocks.iter_mut().zip(&order) {
                        let place = usize::from(place);
                        let BlockTables { dc, ac, .. } = tables[place];
                        let prediction = &mut exact_predictions[place];
                        sequential::decode_block(&mut exact, dc, ac, prediction, block, &mut flaws);
                    }
                    if decoded == 0 {
                        // Wrong, past the end, or a DC code longer than a look-up: the exact decoder has its turn.
                        declined += 1;
                        for &place in &order {
                            let BlockTables { dc, ac, .. } = tables[usize::from(place)];
                            let (mut block, prediction) = ([0; 64], &mut predictions[usize::from(place)]);
                            sequential::decode_block(&mut fast, dc, ac, prediction, &mut block, &mut flaws);
                        }
                    } else {
                        assert!(!flaws.any() && !exact.is_exhausted(), "seed {seed}: {flaws:?} was not seen");
                        assert_eq!(blocks[..4], exact_blocks, "seed {seed}, {cpu:?}");
                        taken += 1;
                    }
                    assert_eq!(predictions, exact_predictions);
                    assert_eq!(fast.offset(), exact.offset(), "seed {seed}");
                }
            }
        }
        assert!(cfg!(miri) || taken > 1_000 && declined > 30, "{taken} MCUs were taken, {declined} declined");
        assert!(taken > 0 && declined > 0, "{taken} MCUs were taken, {declined} declined");
    }
}
