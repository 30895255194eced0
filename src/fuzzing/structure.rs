//! Sound files of odd structure.
//!
//! What enters: any bytes, taken as choices. What leaves: a Huffman-coded JPEG that breaks no rule of T.81, and the
//! coefficients in it: sizes, sampling factors, coding processes, splits into scans, restart intervals that change, tables
//! that are sent again or kept, bytes that mean nothing. The first bytes choose the structure; the coefficients, and every
//! choice behind the last byte, are noise with the bytes as its seed.

use super::encode::{Coding, Tables, write_scan, write_segment};
use crate::scans::Block;
use crate::spec::fingerprint::fnv1a;
use crate::spec::frame::{Frame, Process, Sampling};
use crate::spec::marker;

/// A file and what is in it.
#[derive(Debug)]
pub struct Made {
    /// The file.
    pub jpeg: Vec<u8>,
    /// Its frame.
    pub frame: Frame,
    /// Per component: the blocks of its true grid in zigzag order, as far as the scans transmit them.
    pub planes: Vec<Vec<Block>>,
    /// Per component: its quantisation table in zigzag order.
    pub steps: Vec<[u16; 64]>,
    /// The height is told by a DNL segment.
    pub is_deferred: bool,
}

/// Choices from bytes, then from noise.
#[derive(Debug)]
pub(super) struct Choices<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl Choices<'_> {
    /// Noise, 0..`bound`.
    pub fn noise(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 32) as usize % bound
    }

    /// 0..`bound`, at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        match self.bytes.split_first() {
            Some((&byte, rest)) => {
                self.bytes = rest;
                usize::from(byte) % bound
            }
            None => self.noise(bound),
        }
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// One scan.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    pub components: Vec<usize>,
    pub ss: u8,
    pub se: u8,
    pub ah: u8,
    pub al: u8,
}

/// Makes the file that the bytes choose.
pub fn make(bytes: &[u8]) -> Made {
    let choices = &mut Choices { bytes, state: fnv1a(bytes) | 1 };
    let process = [Process::Baseline, Process::Extended, Process::Progressive, Process::Progressive][choices.below(4)];
    let precision = if process != Process::Baseline && choices.once_in(4) { 12 } else { 8 };
    let (width, height) = (side(choices), side(choices));
    let frame = Frame::new(process, precision, width, height, &sampling(choices, process));
    let scans = if process.is_progressive() { progressive(choices, &frame) } else { sequential(choices, &frame) };
    let is_deferred = choices.once_in(12);

    let mut out = vec![0xff, marker::SOI];
    let mut steps: [[u16; 64]; 4] = std::array::from_fn(|index| write_steps(&mut out, choices, process, index));
    write_frame(&mut out, &frame, is_deferred);
    let (mut tables, mut interval) = (Tables::default(), 0u16);
    let mut latched = vec![None; frame.components.len()];
    // Over the padded grids: what lies beyond the true ones is in the file too.
    let count = |c: &crate::spec::frame::Component| (c.padded_blocks_wide * c.padded_blocks_high) as usize;
    let blocks: Vec<_> = frame.components.iter().map(|c| noise(choices, precision, count(c))).collect();
    for (number, scan) in scans.iter().enumerate() {
        if choices.once_in(4) {
            let index = choices.below(4);
            steps[index] = write_steps(&mut out, choices, process, index);
        }
        for &c in &scan.components {
            latched[c].get_or_insert(steps[usize::from(frame.components[c].quant_index)]);
        }
        if choices.once_in(3) {
            let most = [1, 3, 40, 1000][choices.below(4)];
            interval = if choices.once_in(4) { 0 } else { 1 + choices.noise(most) as u16 };
            write_segment(&mut out, marker::DRI, &interval.to_be_bytes());
        }
        if choices.once_in(5) {
            write_segment(&mut out, marker::COM, b"a comment with \xff\xd8 in it");
            // Fill bytes of the next marker.
            out.extend([0xff; 2]);
        }
        write_scan(&mut out, choices, &Coding { frame: &frame, scan, blocks: &blocks, interval }, &mut tables);
        if number == 0 && is_deferred {
            write_segment(&mut out, marker::DNL, &(height as u16).to_be_bytes());
        }
    }
    out.extend([0xff, marker::EOI]);
    let planes = (0..blocks.len()).map(|c| transmitted(&frame, &scans, c, &blocks[c])).collect();
    let steps = latched.into_iter().map(|steps| steps.unwrap_or([0; 64])).collect();
    Made { jpeg: out, frame, planes, steps, is_deferred }
}

/// A width or a height: mostly small, sometimes of several tiles.
fn side(choices: &mut Choices<'_>) -> u32 {
    let most = [20, 50, 200][choices.below(3)];
    1 + choices.below(most) as u32
}

/// Components; most often one of those samplings that are usual.
fn sampling(choices: &mut Choices<'_>, process: Process) -> Vec<Sampling> {
    let count = 1 + choices.below(4);
    let is_usual = choices.once_in(2);
    let first_id = choices.below(200) as u8;
    let component = |c: usize| {
        let (h, v) = match (is_usual, c) {
            (true, 0 | 3) => (1 + choices.below(2) as u8, 1 + choices.below(2) as u8),
            (true, _) => (1, 1),
            (false, _) => (1 + choices.below(4) as u8, 1 + choices.below(4) as u8),
        };
        // Identifiers may stand in any order.
        let id = first_id.wrapping_add([7, 3, 50, 0][c]);
        Sampling { id, h, v, quant_index: choices.below(if process == Process::Baseline { 2 } else { 4 }) as u8 }
    };
    (0..count).map(component).collect()
}

/// Blocks of noise: DC near and far, AC few or many, small and up to the bound of the precision.
fn noise(choices: &mut Choices<'_>, precision: u8, count: usize) -> Vec<Block> {
    let bound = if precision == 8 { 1023 } else { 16383 };
    let (density, largest) = ([0, 2, 10, 70][choices.below(4)], [1, 3, 40, bound][choices.below(4)]);
    // Once in so many times far from zero.
    let value = |choices: &mut Choices<'_>, times: usize, far: usize, near: usize| {
        let bound = if choices.noise(times) == 0 { far } else { near };
        choices.noise(2 * bound + 1) as i16 - bound as i16
    };
    let block = |_| {
        let mut block = [0; 64];
        block[0] = value(choices, 4, bound, 20);
        for _ in 0..choices.noise(density + 1) {
            block[1 + choices.noise(63)] = value(choices, 3, largest, 1);
        }
        block
    };
    (0..count).map(block).collect()
}

/// Splits components into groups that scans may interleave, each in the order of the frame.
fn groups(choices: &mut Choices<'_>, frame: &Frame) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (c, component) in frame.components.iter().enumerate() {
        let size = |&c: &usize| frame.components[c].h * frame.components[c].v;
        let fits = |group: &Vec<usize>| group.iter().map(size).sum::<u8>() + component.h * component.v <= 10;
        // The last group again, mostly; another one, or its own.
        let chosen = if choices.once_in(4) { choices.below(groups.len() + 1) } else { groups.len().saturating_sub(1) };
        match groups.get_mut(chosen) {
            Some(group) if fits(group) => group.push(c),
            _ => groups.push(vec![c]),
        }
    }
    groups
}

fn sequential(choices: &mut Choices<'_>, frame: &Frame) -> Vec<Scan> {
    let mut scans = Vec::new();
    for components in groups(choices, frame) {
        let at = choices.below(scans.len() + 1);
        scans.insert(at, Scan { components, ss: 0, se: 63, ah: 0, al: 0 });
    }
    scans
}

/// Chains of a first scan and its refinements, in an order where AC follows the first DC.
fn progressive(choices: &mut Choices<'_>, frame: &Frame) -> Vec<Scan> {
    let chain = |choices: &mut Choices<'_>, components: &[usize], ss: u8, se: u8| -> Vec<Scan> {
        let first = choices.below(4) as u8;
        // Sometimes the last bits are never sent.
        let last = if choices.once_in(6) { choices.below(usize::from(first) + 1) as u8 } else { 0 };
        let ah = |al| if al == first { 0 } else { al + 1 };
        (last..=first).map(|al| Scan { components: components.to_vec(), ss, se, ah: ah(al), al }).collect()
    };
    // A chain's next scan is its last.
    let mut chains: Vec<Vec<Scan>> = groups(choices, frame).iter().map(|group| chain(choices, group, 0, 0)).collect();
    for c in 0..frame.components.len() {
        let mut from = 1;
        // Bands may be missing.
        while from < 64 && !choices.once_in(12) {
            let se = if choices.once_in(2) { 63 } else { from + choices.below(64 - usize::from(from)) as u8 };
            chains.push(chain(choices, &[c], from, se));
            from = se + 1;
        }
    }
    let (mut scans, mut has_dc) = (Vec::<Scan>::new(), [false; 4]);
    loop {
        chains.retain(|chain| !chain.is_empty());
        let is_ready = |chain: &&mut Vec<Scan>| chain[0].ss == 0 || has_dc[chain[0].components[0]];
        let mut ready: Vec<_> = chains.iter_mut().filter(is_ready).collect();
        if ready.is_empty() {
            return scans;
        }
        let chosen = choices.below(ready.len());
        let Some(scan) = ready[chosen].pop() else { return scans };
        scan.components.iter().for_each(|&c| has_dc[c] |= scan.ss == 0);
        scans.push(scan);
    }
}

/// What the scans say of a component's true grid.
fn transmitted(frame: &Frame, scans: &[Scan], c: usize, blocks: &[Block]) -> Vec<Block> {
    let mut lowest = [None; 64];
    for scan in scans.iter().filter(|scan| scan.components.contains(&c)) {
        // Of a chain, the last scan has the lowest position.
        lowest[usize::from(scan.ss)..=usize::from(scan.se)].fill(Some(scan.al));
    }
    let component = &frame.components[c];
    let value = |k: usize, value: i16| match lowest[k] {
        None => 0,
        Some(al) if k == 0 => value >> al << al,
        Some(al) => value.signum() * (value.abs() >> al << al),
    };
    let rows = blocks.chunks(component.padded_blocks_wide as usize).take(component.blocks_high as usize);
    let truth = |block: &Block| std::array::from_fn(|k| value(k, block[k]));
    rows.flat_map(|row| &row[..component.blocks_wide as usize]).map(truth).collect()
}

/// DQT with one table of noise.
fn write_steps(out: &mut Vec<u8>, choices: &mut Choices<'_>, process: Process, index: usize) -> [u16; 64] {
    let is_wide = process != Process::Baseline && choices.once_in(6);
    let steps = std::array::from_fn(|_| 1 + choices.noise(if is_wide { 2000 } else { 60 }) as u16);
    let bytes = |step: &u16| if is_wide { step.to_be_bytes().to_vec() } else { vec![*step as u8] };
    let payload: Vec<u8> = steps.iter().flat_map(bytes).collect();
    write_segment(out, marker::DQT, &[&[u8::from(is_wide) << 4 | index as u8], &payload[..]].concat());
    steps
}

fn write_frame(out: &mut Vec<u8>, frame: &Frame, is_deferred: bool) {
    let sof = match frame.process {
        Process::Baseline => marker::SOF0,
        Process::Extended => marker::SOF1,
        _ => marker::SOF2,
    };
    let [y1, y0] = if is_deferred { [0; 2] } else { (frame.height as u16).to_be_bytes() };
    let [x1, x0] = (frame.width as u16).to_be_bytes();
    let mut payload = vec![frame.precision, y1, y0, x1, x0, frame.components.len() as u8];
    frame.components.iter().for_each(|c| payload.extend([c.id, c.h << 4 | c.v, c.quant_index]));
    write_segment(out, sof, &payload);
}
