//! Progressive JPEGs of random coefficients in random scan scripts, every one of them legal.
//!
//! What enters: a seed. What leaves: the bytes of a file, and what is in it. A small writer for this alone: its Huffman table
//! has all symbols, ten of them in short codes.

/// A small generator, so that a seed names a file on every machine (Numerical Recipes' 64-bit step, upper half).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound.max(1)
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// A component: its blocks in zigzag order, row by row, of whole MCUs.
#[derive(Clone)]
pub struct Component {
    pub h: usize,
    pub v: usize,
    /// Blocks of the true grid.
    pub wide: usize,
    pub high: usize,
    /// Columns of blocks in whole MCUs.
    padded_wide: usize,
    blocks: Vec<[i16; 64]>,
    /// Per coefficient: the lowest bit position written, 99 before its first scan.
    precision: [u8; 64],
}

impl Component {
    /// A block as the file has it: without the bits that no scan brings.
    pub fn block(&self, x: usize, y: usize) -> [i16; 64] {
        let block = &self.blocks[y * self.padded_wide + x];
        std::array::from_fn(|k| match (k, self.precision[k]) {
            (_, 99) => 0,
            (0, al) => block[0] >> al << al,
            (_, al) => (block[k].abs() >> al << al) * block[k].signum(),
        })
    }
}

/// A file.
pub struct File {
    pub bytes: Vec<u8>,
    pub components: Vec<Component>,
    pub script: Vec<String>,
}

/// The symbols with short codes.
const SHORT: [u8; 10] = [0x00, 0x01, 0x11, 0x02, 0xf0, 0x12, 0x21, 0x03, 0x10, 0x20];
/// How many codes of each length up to 12, the others are 0.
const COUNTS: [u8; 16] = [0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 246, 0, 0, 0, 0];

/// Length and code of each symbol, and the symbols in order.
struct Table {
    codes: [(u32, u32); 256],
    symbols: Vec<u8>,
}

impl Table {
    fn new(symbols: Vec<u8>) -> Table {
        let (mut codes, mut code, mut next) = ([(0, 0); 256], 0, symbols.iter());
        for (length, &count) in (1..).zip(&COUNTS) {
            for &symbol in next.by_ref().take(count.into()) {
                codes[usize::from(symbol)] = (length, code);
                code += 1;
            }
            code <<= 1;
        }
        Table { codes, symbols }
    }
}

/// Bits with stuffing.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, count: u32, value: u32) {
        self.held = self.held << count | u64::from(value) & ((1 << count) - 1);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
    }

    fn end(&mut self) {
        if self.count > 0 {
            self.put(8 - self.count, 0xff);
        }
    }
}

/// A pending run of ends of bands and its correction bits.
#[derive(Default)]
struct Ends {
    run: u32,
    corrections: Vec<u32>,
}

struct Scan {
    components: Vec<usize>,
    ss: usize,
    se: usize,
    ah: u8,
    al: u8,
}

/// The file of a seed.
pub fn file(seed: u64) -> File {
    let mut random = Random(seed.wrapping_mul(77) + 5);
    let (mcus_wide, mcus_high) = (1 + random.below(9), 1 + random.below(6));
    let count = [1, 3, 3, 4][random.below(4)];
    let factors: Vec<(usize, usize)> = (0..count)
        .map(|i| if i == 0 { (1 + random.below(2), 1 + random.below(2)) } else { (1, 1 + random.below(2)) })
        .collect();
    let (h_max, v_max) = (factors.iter().map(|f| f.0).max().unwrap(), factors.iter().map(|f| f.1).max().unwrap());
    let (width, height) =
        (8 * h_max * mcus_wide - random.below(8 * h_max), 8 * v_max * mcus_high - random.below(8 * v_max));
    let density = 1 + random.below(30);
    let components = factors.iter().map(|&(h, v)| {
        let blocks = (0..mcus_wide * h * mcus_high * v).map(|_| block(&mut random, density)).collect();
        let (wide, high) = ((width * h).div_ceil(h_max).div_ceil(8), (height * v).div_ceil(v_max).div_ceil(8));
        Component { h, v, wide, high, padded_wide: mcus_wide * h, blocks, precision: [99; 64] }
    });
    let mut components: Vec<Component> = components.collect();
    let mut symbols = SHORT.to_vec();
    symbols.extend((0..=255).filter(|symbol| !SHORT.contains(symbol)));
    let table = Table::new(symbols);

    let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    bytes.extend([1; 64]);
    bytes.extend([0xff, 0xc2, 0, 8 + 3 * count as u8, 8]);
    bytes.extend((height as u16).to_be_bytes());
    bytes.extend((width as u16).to_be_bytes());
    bytes.push(count as u8);
    for (id, component) in (1..).zip(&components) {
        bytes.extend([id, (component.h << 4 | component.v) as u8, 0]);
    }
    for class in [0u8, 0x10] {
        // DC categories are at most 15.
        let symbols: Vec<u8> = if class == 0 { (0..16).collect() } else { table.symbols.clone() };
        let counts = if class == 0 { [0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] } else { COUNTS };
        bytes.extend([0xff, 0xc4]);
        bytes.extend((19 + symbols.len() as u16).to_be_bytes());
        bytes.push(class);
        bytes.extend(counts);
        bytes.extend(symbols);
    }
    let interval = if random.one_in(3) { 1 + random.below(7) } else { 0 };
    bytes.extend([0xff, 0xdd, 0, 4, 0, interval as u8]);
    let mut script = Vec::new();
    let last = 4 + random.below(60);
    while let Some(scan) = next_scan(&mut random, &components).filter(|_| script.len() < last) {
        let Scan { ss, se, ah, al, .. } = scan;
        script.push(format!("{:?} {ss}-{se} {ah},{al}", scan.components));
        bytes.extend([0xff, 0xda, 0, 6 + 2 * scan.components.len() as u8, scan.components.len() as u8]);
        scan.components.iter().for_each(|&component| bytes.extend([component as u8 + 1, 0]));
        bytes.extend([ss as u8, se as u8, ah << 4 | al]);
        write_scan(&mut bytes, &components, &scan, interval, &table, (mcus_wide, mcus_high));
        for &component in &scan.components {
            components[component].precision[ss..=se].fill(al);
        }
    }
    bytes.extend([0xff, 0xd9]);
    File { bytes, components, script }
}

fn block(random: &mut Random, density: usize) -> [i16; 64] {
    let mut block = [0; 64];
    block[0] = random.below(2000) as i16 - 1000;
    if random.one_in(3) {
        return block;
    }
    for value in &mut block[1..] {
        if random.one_in(density) {
            let bits = random.below(10);
            let magnitude = 1 + random.below(1 << bits) as i16;
            *value = if random.one_in(2) { magnitude } else { -magnitude };
        }
    }
    block
}

/// A scan that may come next; `None` if all is written.
fn next_scan(random: &mut Random, components: &[Component]) -> Option<Scan> {
    let is_fresh = |component: &Component| component.precision[0] == 99;
    if components.iter().all(is_fresh) && components.iter().map(|c| c.h * c.v).sum::<usize>() <= 10 && !random.one_in(4)
    {
        let components = (0..components.len()).collect();
        return Some(Scan { components, ss: 0, se: 0, ah: 0, al: random.below(3) as u8 });
    }
    let open = |i: &usize| components[*i].precision.iter().any(|&al| al > 0);
    let open: Vec<usize> = (0..components.len()).filter(open).collect();
    // Components without any scan first: a file must have one of each.
    let fresh: Vec<usize> = open.iter().copied().filter(|&i| is_fresh(&components[i])).collect();
    let choice = if fresh.is_empty() { &open } else { &fresh };
    let component = *choice.get(random.below(choice.len()))?;
    let precision = &components[component].precision;
    if precision[0] == 99 {
        return Some(Scan { components: vec![component], ss: 0, se: 0, ah: 0, al: random.below(3) as u8 });
    }
    let starts: Vec<usize> = (0..64).filter(|&k| precision[k] > 0).collect();
    let ss = starts[random.below(starts.len())];
    let level = precision[ss];
    let same = (ss..64).take_while(|&k| precision[k] == level).count();
    let se = if ss == 0 { 0 } else { ss + if random.one_in(2) { same - 1 } else { random.below(same) } };
    let (ah, al) = if level == 99 { (0, random.below(4) as u8) } else { (level, level - 1) };
    Some(Scan { components: vec![component], ss, se, ah, al })
}

fn write_scan(
    bytes: &mut Vec<u8>,
    components: &[Component],
    scan: &Scan,
    interval: usize,
    table: &Table,
    (mcus_wide, mcus_high): (usize, usize),
) {
    // The blocks of each MCU.
    let mut mcus: Vec<Vec<(usize, usize)>> = Vec::new();
    if let [only] = scan.components[..] {
        let c = &components[only];
        mcus.extend((0..c.high * c.wide).map(|i| vec![(only, i / c.wide * c.padded_wide + i % c.wide)]));
    } else {
        for mcu in 0..mcus_wide * mcus_high {
            let (x, y) = (mcu % mcus_wide, mcu / mcus_wide);
            let mut blocks = Vec::new();
            for &i in &scan.components {
                let c = &components[i];
                blocks.extend((0..c.h * c.v).map(|j| (i, (y * c.v + j / c.h) * c.padded_wide + x * c.h + j % c.h)));
            }
            mcus.push(blocks);
        }
    }
    let step = if interval == 0 { mcus.len() } else { interval };
    for (number, mcus) in mcus.chunks(step).enumerate() {
        if number > 0 {
            bytes.extend([0xff, 0xd0 + (number as u8 - 1) % 8]);
        }
        let (mut bits, mut predictions, mut ends) = (Bits::default(), [0; 4], Ends::default());
        for &(component, index) in mcus.iter().flatten() {
            let block = &components[component].blocks[index];
            match (scan.ss, scan.ah) {
                (0, 0) => {
                    let value = i32::from(block[0] >> scan.al);
                    let (size, extra) = magnitude(value - predictions[component]);
                    predictions[component] = value;
                    bits.put(5, size);
                    bits.put(size, extra);
                }
                (0, _) => bits.put(1, (block[0] >> scan.al) as u32 & 1),
                (_, 0) => first(&mut bits, block, scan, table, &mut ends),
                _ => refine(&mut bits, block, scan, table, &mut ends),
            }
        }
        flush(&mut bits, table, &mut ends);
        bits.end();
        bytes.extend(bits.bytes);
    }
}

fn magnitude(value: i32) -> (u32, u32) {
    let size = 32 - value.unsigned_abs().leading_zeros();
    (size, if value < 0 { (value - 1) as u32 } else { value as u32 })
}

fn put_symbol(bits: &mut Bits, table: &Table, symbol: u8) {
    let (length, code) = table.codes[usize::from(symbol)];
    bits.put(length, code);
}

fn flush(bits: &mut Bits, table: &Table, ends: &mut Ends) {
    if ends.run > 0 {
        let exponent = ends.run.ilog2();
        put_symbol(bits, table, (exponent as u8) << 4);
        bits.put(exponent, ends.run);
        ends.corrections.iter().for_each(|&bit| bits.put(1, bit));
    }
    *ends = Ends::default();
}

fn first(bits: &mut Bits, block: &[i16; 64], scan: &Scan, table: &Table, ends: &mut Ends) {
    let mut run = 0;
    for &value in &block[scan.ss..=scan.se] {
        let value = i32::from(value.abs() >> scan.al) * i32::from(value.signum());
        if value == 0 {
            run += 1;
            continue;
        }
        flush(bits, table, ends);
        while run > 15 {
            put_symbol(bits, table, 0xf0);
            run -= 16;
        }
        let (size, extra) = magnitude(value);
        put_symbol(bits, table, run << 4 | size as u8);
        bits.put(size, extra);
        run = 0;
    }
    if run > 0 {
        ends.run += 1;
    }
}

fn refine(bits: &mut Bits, block: &[i16; 64], scan: &Scan, table: &Table, ends: &mut Ends) {
    let level = |k: usize| block[k].unsigned_abs() >> scan.al;
    let last_new = (scan.ss..=scan.se).rev().find(|&k| level(k) == 1).unwrap_or(0);
    let (mut run, mut corrections) = (0, Vec::new());
    for (k, value) in block.iter().enumerate().take(scan.se + 1).skip(scan.ss) {
        if level(k) == 0 {
            run += 1;
            continue;
        }
        while run > 15 && k <= last_new {
            flush(bits, table, ends);
            put_symbol(bits, table, 0xf0);
            corrections.drain(..).for_each(|bit| bits.put(1, bit));
            run -= 16;
        }
        if level(k) > 1 {
            corrections.push(u32::from(level(k)) & 1);
            continue;
        }
        flush(bits, table, ends);
        put_symbol(bits, table, run << 4 | 1);
        bits.put(1, u32::from(*value > 0));
        corrections.drain(..).for_each(|bit| bits.put(1, bit));
        run = 0;
    }
    if run > 0 || !corrections.is_empty() {
        ends.run += 1;
        ends.corrections.append(&mut corrections);
    }
}
