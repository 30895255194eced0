//! Scans of sound files: from coefficients to Huffman-coded segments.
//!
//! What enters: blocks, and what a scan sends of them. What leaves: DHT, SOS and entropy-coded segments with their restart
//! markers, appended. Codes are as short, as long and as strange as T.81 allows, never the best.

use std::collections::BTreeSet;

use super::structure::{Choices, Scan};
use crate::scans::Block;
use crate::spec::frame::Frame;
use crate::spec::marker;

/// A scan and what it sends.
pub(super) struct Coding<'a> {
    pub frame: &'a Frame,
    pub scan: &'a Scan,
    /// Per component: its padded grid.
    pub blocks: &'a [Vec<Block>],
    /// MCUs between restart markers, 0 for none.
    pub interval: u16,
}

/// Codes by symbol: code and length, 0 for none.
type Codes = [(u16, u8); 256];

/// The tables in force, by class (0 DC, 1 AC) and destination.
#[derive(Default)]
pub(super) struct Tables([[Option<Box<Codes>>; 4]; 2]);

/// A symbol of a table, if there is one, and bits behind it.
struct Token {
    /// Class, destination, symbol.
    symbol: Option<(usize, usize, u8)>,
    bits: u32,
    count: u32,
}

/// Blocks without coefficients, in a progressive AC scan, and the correction bits of their coefficients with history.
#[derive(Default)]
struct EndOfBands {
    run: u32,
    corrections: Vec<u32>,
}

/// Writes a segment: marker, length, payload.
pub(super) fn write_segment(out: &mut Vec<u8>, marker: u8, payload: &[u8]) {
    out.extend([0xff, marker]);
    out.extend((payload.len() as u16 + 2).to_be_bytes());
    out.extend(payload);
}

/// Writes a scan with the tables it needs.
pub(super) fn write_scan(out: &mut Vec<u8>, choices: &mut Choices<'_>, coding: &Coding<'_>, tables: &mut Tables) {
    let Coding { frame, scan, interval, .. } = *coding;
    let most = if frame.process == crate::spec::frame::Process::Baseline { 2 } else { 4 };
    let slots: Vec<[usize; 2]> = scan.components.iter().map(|_| [choices.below(most), choices.below(most)]).collect();
    let longest_run = [1, 3, 0x7fff][choices.below(3)];
    let mcus = visit(frame, &scan.components);
    let step = if interval == 0 { mcus.len() } else { interval.into() };
    let segments: Vec<Vec<Token>> = mcus.chunks(step).map(|mcus| tokens(coding, mcus, &slots, longest_run)).collect();
    for class in 0..2 {
        for slot in 0..4 {
            let used =
                |token: &Token| token.symbol.filter(|&(c, s, _)| (c, s) == (class, slot)).map(|(.., symbol)| symbol);
            let symbols: BTreeSet<u8> = segments.iter().flatten().filter_map(used).collect();
            let table = &mut tables.0[class][slot];
            let has_all = |codes: &Codes| symbols.iter().all(|&symbol| codes[usize::from(symbol)].1 > 0);
            if !symbols.is_empty() && (!table.as_deref().is_some_and(has_all) || choices.once_in(2)) {
                *table = Some(write_table(out, choices, (class << 4 | slot) as u8, symbols));
            }
        }
    }
    let mut header = vec![scan.components.len() as u8];
    for (&c, [dc, ac]) in scan.components.iter().zip(&slots) {
        header.extend([frame.components[c].id, (dc << 4 | ac) as u8]);
    }
    header.extend([scan.ss, scan.se, scan.ah << 4 | scan.al]);
    write_segment(out, marker::SOS, &header);
    for (number, tokens) in segments.iter().enumerate() {
        if number > 0 {
            out.extend([0xff, marker::RST0 + (number - 1) as u8 % 8]);
        }
        write_tokens(out, tokens, tables);
    }
}

/// The MCUs of a scan: place in the scan, component and number in its padded grid of each block (T.81 A.2).
fn visit(frame: &Frame, components: &[usize]) -> Vec<Vec<(usize, usize, usize)>> {
    let number = |c: usize, x: u32, y: u32| (y * frame.components[c].padded_blocks_wide + x) as usize;
    let mut mcus = Vec::new();
    if let [only] = *components {
        let component = &frame.components[only];
        for y in 0..component.blocks_high {
            mcus.extend((0..component.blocks_wide).map(|x| vec![(0, only, number(only, x, y))]));
        }
        return mcus;
    }
    for (mcu_y, mcu_x) in (0..frame.mcus_high).flat_map(|y| (0..frame.mcus_wide).map(move |x| (y, x))) {
        let mut mcu = Vec::new();
        for (place, &c) in components.iter().enumerate() {
            let (h, v) = (u32::from(frame.components[c].h), u32::from(frame.components[c].v));
            mcu.extend((0..h * v).map(|i| (place, c, number(c, mcu_x * h + i % h, mcu_y * v + i / h))));
        }
        mcus.push(mcu);
    }
    mcus
}

/// The tokens of one restart interval.
fn tokens(coding: &Coding<'_>, mcus: &[Vec<(usize, usize, usize)>], slots: &[[usize; 2]], longest: u32) -> Vec<Token> {
    let Scan { ss, se, ah, al, .. } = *coding.scan;
    let (mut out, mut predictions, mut ends) = (Vec::new(), [0; 4], EndOfBands::default());
    for &(place, c, number) in mcus.iter().flatten() {
        let (block, [dc, ac]) = (&coding.blocks[c][number], slots[place]);
        let levels: [i32; 64] = std::array::from_fn(|k| match (k, i32::from(block[k])) {
            (0, value) => value >> al,
            (_, value) => value.signum() * (value.abs() >> al),
        });
        if ss == 0 && ah == 0 {
            let difference = levels[0] - std::mem::replace(&mut predictions[place], levels[0]);
            let (size, bits) = magnitude(difference);
            out.push(Token { symbol: Some((0, dc, size as u8)), bits, count: size });
        }
        match (ss, se, ah) {
            (0, 63, _) => sequential_ac(&mut out, ac, &levels),
            (0, ..) if ah > 0 => out.push(Token { symbol: None, bits: levels[0] as u32 & 1, count: 1 }),
            (0, ..) => {}
            (.., 0) => first_ac(&mut out, ac, &levels[usize::from(ss)..=usize::from(se)], &mut ends, longest),
            _ => refine_ac(&mut out, ac, &levels[usize::from(ss)..=usize::from(se)], &mut ends, longest),
        }
    }
    if let Some(&[_, ac]) = slots.first() {
        ends.flush(&mut out, ac);
    }
    out
}

/// Number of bits, and the bits, of a value (T.81 F.1.2.1).
fn magnitude(value: i32) -> (u32, u32) {
    let size = 32 - value.abs().leading_zeros();
    (size, (if value < 0 { value + (1 << size) - 1 } else { value }) as u32)
}

/// F.1.2.2.
fn sequential_ac(out: &mut Vec<Token>, slot: usize, levels: &[i32; 64]) {
    let mut run = 0;
    for &level in &levels[1..] {
        run = push_coefficient(out, slot, run, level);
    }
    if run > 0 {
        out.push(Token { symbol: Some((1, slot, 0)), bits: 0, count: 0 });
    }
}

/// A coefficient behind `run` zeros; returns the zeros before the next one.
fn push_coefficient(out: &mut Vec<Token>, slot: usize, mut run: u8, level: i32) -> u8 {
    if level == 0 {
        return run + 1;
    }
    while run > 15 {
        out.push(Token { symbol: Some((1, slot, 0xf0)), bits: 0, count: 0 });
        run -= 16;
    }
    let (size, bits) = magnitude(level);
    out.push(Token { symbol: Some((1, slot, run << 4 | size as u8)), bits, count: size });
    0
}

/// G.1.2.2.
fn first_ac(out: &mut Vec<Token>, slot: usize, levels: &[i32], ends: &mut EndOfBands, longest: u32) {
    let mut run = 0;
    for &level in levels {
        if level != 0 {
            ends.flush(out, slot);
        }
        run = push_coefficient(out, slot, run, level);
    }
    if run > 0 {
        ends.add(out, slot, Vec::new(), longest);
    }
}

/// G.1.2.3.
fn refine_ac(out: &mut Vec<Token>, slot: usize, levels: &[i32], ends: &mut EndOfBands, longest: u32) {
    let last_new = levels.iter().rposition(|level| level.abs() == 1);
    let (mut run, mut corrections) = (0, Vec::new());
    let send = |out: &mut Vec<Token>, corrections: &mut Vec<u32>| {
        out.extend(corrections.drain(..).map(|bits| Token { symbol: None, bits, count: 1 }));
    };
    for (k, &level) in levels.iter().enumerate() {
        if level == 0 {
            run += 1;
            continue;
        }
        while run > 15 && last_new >= Some(k) {
            ends.flush(out, slot);
            out.push(Token { symbol: Some((1, slot, 0xf0)), bits: 0, count: 0 });
            run -= 16;
            send(out, &mut corrections);
        }
        if level.abs() > 1 {
            corrections.push(level.unsigned_abs() & 1);
            continue;
        }
        ends.flush(out, slot);
        out.push(Token { symbol: Some((1, slot, run << 4 | 1)), bits: u32::from(level > 0), count: 1 });
        send(out, &mut corrections);
        run = 0;
    }
    if run > 0 || !corrections.is_empty() {
        ends.add(out, slot, corrections, longest);
    }
}

impl EndOfBands {
    /// One more block without further new coefficients.
    fn add(&mut self, out: &mut Vec<Token>, slot: usize, corrections: Vec<u32>, longest: u32) {
        self.run += 1;
        self.corrections.extend(corrections);
        if self.run >= longest {
            self.flush(out, slot);
        }
    }

    /// Sends the run, if there is one.
    fn flush(&mut self, out: &mut Vec<Token>, slot: usize) {
        if self.run > 0 {
            let size = 31 - self.run.leading_zeros();
            out.push(Token { symbol: Some((1, slot, (size << 4) as u8)), bits: self.run - (1 << size), count: size });
            self.run = 0;
        }
        out.extend(self.corrections.drain(..).map(|bits| Token { symbol: None, bits, count: 1 }));
    }
}

/// DHT with one table for these symbols and a few that nobody uses, in any order: codes of one length, or each a bit longer
/// up to some place and the rest of one length.
fn write_table(out: &mut Vec<u8>, choices: &mut Choices<'_>, class_slot: u8, symbols: BTreeSet<u8>) -> Box<Codes> {
    let mut symbols: Vec<u8> = symbols.into_iter().collect();
    for _ in 0..choices.below(4) {
        let symbol = choices.noise(if class_slot < 16 { 12 } else { 256 }) as u8;
        if !symbols.contains(&symbol) {
            symbols.push(symbol);
        }
    }
    for last in (1..symbols.len()).rev() {
        symbols.swap(last, choices.noise(last + 1));
    }
    let staggered = choices.below(8).min(symbols.len() - 1);
    let rest = symbols.len() - staggered;
    // One code more than needed: that of all ones stays free.
    let length = staggered as u32 + (rest as u32 + 1).next_power_of_two().trailing_zeros();
    let mut counts = [0; 16];
    counts[..staggered].fill(1);
    counts[length as usize - 1] += rest as u8;
    let mut codes = Box::new([(0, 0); 256]);
    let (mut code, mut length, mut left) = (0u16, 0, 0);
    for &symbol in &symbols {
        while left == 0 {
            left = counts[length];
            length += 1;
            code <<= 1;
        }
        codes[usize::from(symbol)] = (code, length as u8);
        (code, left) = (code + 1, left - 1);
    }
    write_segment(out, marker::DHT, &[&[class_slot], &counts[..], &symbols].concat());
    codes
}

/// Codes and bits, ones up to the next whole byte, a zero byte behind each 0xff.
fn write_tokens(out: &mut Vec<u8>, tokens: &[Token], tables: &Tables) {
    let (mut held, mut count) = (0u64, 0);
    let mut put = |bits: u32, size: u32, out: &mut Vec<u8>| {
        (held, count) = (held << size | u64::from(bits), count + size);
        while count >= 8 {
            count -= 8;
            let byte = (held >> count) as u8;
            out.push(byte);
            if byte == 0xff {
                out.push(0);
            }
        }
        count
    };
    for token in tokens {
        if let Some((class, slot, symbol)) = token.symbol {
            let (code, length) = tables.0[class][slot].as_ref().map_or((0, 0), |codes| codes[usize::from(symbol)]);
            put(code.into(), length.into(), out);
        }
        put(token.bits, token.count, out);
    }
    let left = put(0, 0, out);
    if left > 0 {
        put((1 << (8 - left)) - 1, 8 - left, out);
    }
}
