//! The loops of progressive scans beside the coders that decode to the letter, on noise, at every level.

use super::dc::{self, Slot};
use super::progressive::{decode_ac_first, decode_ac_refine, decode_dc_first, decode_dc_refine};
use super::{Band, BitReader, Flaws, HuffmanTable, Run, SegmentReader, SymbolKind, Window, band, refine};
use crate::cpu::Cpu;
use crate::markers::HuffmanSpec;
use crate::scans::Block;

/// A small generator (Numerical Recipes' 64-bit step, upper half).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    /// Stuffed bytes. With more than one of `layers` most bits are set, which makes long codes of them.
    fn bytes(&mut self, len: usize, layers: usize) -> Vec<u8> {
        (0..len)
            .map(|_| (0..layers).fold(0, |byte, _| byte | self.below(256) as u8))
            .flat_map(|byte| if byte == 0xff { vec![byte, 0] } else { vec![byte] })
            .collect()
    }
}

/// A table of these symbols, the first ones in short codes and the last two in codes longer than a look-up. Few bits are no
/// code.
fn table(symbols: &[u8], kind: SymbolKind) -> HuffmanTable {
    let mut counts = [0; 16];
    counts[..12].copy_from_slice(&[0, 2, 2, 1, 2, 3, 4, 1, 1, 2, 0, 2]);
    assert_eq!(symbols.len(), 20);
    HuffmanTable::new(&HuffmanSpec { counts, values: symbols.into(), offset: 0 }, kind).unwrap()
}

fn reversed(block: &Block) -> Block {
    std::array::from_fn(|k| block[63 - k])
}

fn history(block: &Block) -> u64 {
    (1..64).filter(|&k| block[k] != 0).fold(0, |all, k| all | 1 << (63 - k))
}

/// Where the next bit is: its byte only, where nobody asks for more.
fn place(reader: &BitReader<'_>) -> u64 {
    #[cfg(feature = "threads")]
    return reader.position();
    #[cfg(not(feature = "threads"))]
    return reader.offset() as u64;
}

type Fast = fn(Cpu, &mut BitReader<'_>, &HuffmanTable, Band, &mut u32, &mut [Block], &mut [u64]) -> Run;
type Exact = fn(&mut BitReader<'_>, &HuffmanTable, Band, &mut u32, &mut Block, &mut Flaws);

/// Decodes the same noise both ways, up to the first thing that is wrong in it. How many blocks the loop took, and how often
/// it had to give way.
fn compare(cpu: Cpu, seed: u64, table: &HuffmanTable, is_first: bool, fast: Fast, exact: Exact) -> (usize, usize) {
    let mut random = Random(seed);
    // Some are short: their segment ends inside a block.
    let is_short = seed.is_multiple_of(5);
    let ss = 1 + random.below(if is_short { 63 } else { 20 });
    let band = Band { ss, se: ss + random.below(64 - ss), al: random.below(if is_short { 14 } else { 3 }) as u8 };
    let density = 1 + random.below(40);
    let mut exact_blocks = vec![[0; 64]; 300];
    for block in &mut exact_blocks {
        for (k, value) in block.iter_mut().enumerate().skip(1) {
            // A first scan finds nothing in its band, a refinement scan what is above its bit.
            let is_free = !is_first || !(band.ss..=band.se).contains(&k);
            if is_free && random.below(density) == 0 {
                let most = (30_000 >> (band.al + 1)).clamp(2, 2000);
                *value = (random.below(most) as i16 - (most / 2) as i16) << (band.al + 1);
            }
        }
    }
    let mut blocks: Vec<Block> = exact_blocks.iter().map(reversed).collect();
    let mut histories: Vec<u64> = exact_blocks.iter().map(history).collect();
    let len = if is_short { 20 + random.below(400) } else { 20_000 };
    let data = random.bytes(len, 1 + seed as usize % 3);
    let (mut window, mut exact_window) = (Window::default(), Window::default());
    let mut reader = BitReader::new(&data, 0, &mut window);
    let mut exact_reader = BitReader::new(&data, 0, &mut exact_window);
    let (mut run, mut exact_run, mut flaws) = (0, 0, Flaws::default());
    let (mut next, mut taken, mut declined) = (0, 0, 0);
    while next < blocks.len() && !flaws.any() {
        reader.prepare();
        // Calls end anywhere, as at restart markers.
        let most = if seed.is_multiple_of(2) { 30 } else { 200 };
        let end = (next + 1 + random.below(most)).min(blocks.len());
        let mut done =
            fast(cpu, &mut reader, table, band, &mut run, &mut blocks[next..end], &mut histories[next..end]).blocks;
        taken += done;
        let is_sound = done > 0;
        if !is_sound {
            let mut block = reversed(&blocks[next]);
            exact(&mut reader, table, band, &mut run, &mut block, &mut Flaws::default());
            (blocks[next], histories[next]) = (reversed(&block), history(&block));
            (done, declined) = (1, declined + 1);
        }
        for place in next..next + done {
            exact_reader.prepare();
            exact(&mut exact_reader, table, band, &mut exact_run, &mut exact_blocks[place], &mut flaws);
            let is_wrong = flaws.any() || exact_reader.is_exhausted();
            assert!(!is_sound || !is_wrong, "seed {seed}: {flaws:?} was not seen");
            let mut block = reversed(&blocks[place]);
            block[0] = 0;
            assert_eq!(block, exact_blocks[place], "seed {seed}, block {place}, {band:?}, {cpu:?}");
            assert_eq!(histories[place], history(&block), "seed {seed}, block {place}, {band:?}, {cpu:?}");
        }
        next += done;
        assert_eq!((run, place(&reader)), (exact_run, place(&exact_reader)), "seed {seed}");
        if exact_reader.is_exhausted() {
            break;
        }
    }
    (taken, declined)
}

#[test]
fn first_scans_are_decoded_alike_or_declined() {
    let symbols =
        [0, 1, 2, 0x11, 0x10, 0x03, 0x21, 0xf0, 0x12, 0x20, 0x31, 0x04, 0x30, 0x05, 0x41, 0xf1, 0xe0, 0x0d, 0x09, 0x51];
    let table = table(&symbols, SymbolKind::AcFirst);
    let (mut taken, mut declined) = (0, 0);
    for cpu in crate::cpu::all() {
        for seed in 0..600 {
            let counts = compare(cpu, seed, &table, true, band::decode_blocks, decode_ac_first);
            (taken, declined) = (taken + counts.0, declined + counts.1);
        }
    }
    assert!(taken > 3_000 && declined > 500, "{taken} blocks were taken, {declined} declined");
}

#[test]
fn refinement_scans_are_decoded_alike_or_declined() {
    // 0x02 is none of such a scan, in a code of 6 bits.
    let symbols = [
        1, 0, 0x11, 0x21, 0x10, 0x31, 0xf0, 0x02, 0x51, 0x20, 0x61, 0x71, 0x30, 0x81, 0x40, 0x50, 0xf1, 0x41, 0xa1,
        0xe0,
    ];
    let table = table(&symbols, SymbolKind::AcRefine);
    let (mut taken, mut declined) = (0, 0);
    for cpu in crate::cpu::all() {
        for seed in 0..600 {
            let counts = compare(cpu, seed, &table, false, refine::refine_blocks, decode_ac_refine);
            (taken, declined) = (taken + counts.0, declined + counts.1);
        }
    }
    assert!(taken > 3_000 && declined > 500, "{taken} blocks were taken, {declined} declined");
}

#[test]
fn dc_scans_are_decoded_alike_or_declined() {
    let symbols = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 3, 2, 1, 0];
    let table = table(&symbols, SymbolKind::Dc);
    let slots = [(0, 0, 2), (0, 1, 2), (1, 200, 1)].map(|(in_scan, start, step)| Slot { in_scan, start, step });
    let (mut taken, mut declined) = (0, 0);
    for cpu in crate::cpu::all() {
        for seed in 0..60 {
            let mut random = Random(seed);
            let al = random.below(3) as u8;
            let data = random.bytes(300, 1);
            let (mut window, mut exact_window) = (Window::default(), Window::default());
            let mut reader = BitReader::new(&data, 0, &mut window);
            let mut exact = BitReader::new(&data, 0, &mut exact_window);
            let (mut predictions, mut exact_predictions) = ([0; 4], [0; 4]);
            let (mut values, mut exact_values) = (vec![0; 300], vec![0; 300]);
            let (mut next, mut flaws) = (0, Flaws::default());
            while next < 100 {
                reader.prepare();
                // From here to the end, which is further on than the data in some cases.
                let moved = slots.map(|slot| Slot { start: slot.start + next * slot.step, ..slot });
                let mut done = dc::decode_mcus(
                    cpu,
                    &mut reader,
                    [&table; 4],
                    al,
                    &mut predictions,
                    &moved,
                    100 - next,
                    &mut values,
                );
                let is_sound = done > 0;
                taken += done;
                if !is_sound {
                    for slot in moved {
                        let (mut block, prediction) = ([0; 64], &mut predictions[usize::from(slot.in_scan)]);
                        decode_dc_first(&mut reader, &table, al, prediction, &mut block, &mut Flaws::default());
                        values[slot.start] = block[0];
                    }
                    (done, declined) = (1, declined + 1);
                }
                for mcu in next..next + done {
                    exact.prepare();
                    for slot in slots {
                        let (mut block, prediction) = ([0; 64], &mut exact_predictions[usize::from(slot.in_scan)]);
                        decode_dc_first(&mut exact, &table, al, prediction, &mut block, &mut flaws);
                        exact_values[slot.start + mcu * slot.step] = block[0];
                    }
                }
                assert!(!is_sound || !flaws.any() && !exact.is_exhausted(), "seed {seed}: {flaws:?}");
                flaws = Flaws::default();
                next += done;
                assert_eq!((predictions, reader.offset()), (exact_predictions, exact.offset()), "seed {seed}");
            }
            assert_eq!(values, exact_values, "seed {seed}");
        }
    }
    assert!(taken > 1_000 && declined > 50, "{taken} MCUs were taken, {declined} declined");
}

#[test]
fn dc_bits_are_read_alike_or_declined() {
    let all = [(0, 0, 2), (0, 1, 2), (1, 200, 1), (2, 300, 1)];
    let all = all.map(|(in_scan, start, step)| Slot { in_scan, start, step });
    for cpu in crate::cpu::all() {
        for (slots, seed) in [(&all[..3], 3), (&all[2..], 4), (&all[2..3], 5), (&all[..], 6)] {
            let mut random = Random(seed);
            let data = random.bytes(30, 1);
            let (mut window, mut exact_window) = (Window::default(), Window::default());
            let mut reader = BitReader::new(&data, 0, &mut window);
            let mut exact = BitReader::new(&data, 0, &mut exact_window);
            let mut values: Vec<i16> = (0..600).map(|_| (random.below(500) as i16 - 250) << 3).collect();
            let mut exact_values = values.clone();
            reader.prepare();
            let done = dc::refine_mcus(cpu, &mut reader, 2, slots, 7, &mut values);
            assert_eq!(done, 7);
            let moved: Vec<Slot> =
                slots.iter().map(|slot| Slot { start: slot.start + 7 * slot.step, ..*slot }).collect();
            let done = 7 + dc::refine_mcus(cpu, &mut reader, 2, &moved, 300, &mut values);
            assert_eq!(done, 240 / slots.len(), "as many as there are bits");
            exact.prepare();
            for mcu in 0..done {
                for slot in slots {
                    let value = &mut exact_values[slot.start + mcu * slot.step];
                    let mut block = [0; 64];
                    block[0] = *value;
                    decode_dc_refine(&mut exact, 2, &mut block);
                    *value = block[0];
                }
            }
            assert!(!exact.is_exhausted());
            assert_eq!(values, exact_values);
        }
    }
}
