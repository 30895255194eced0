//! Progressive images in any legal scan script, decoded in whole and for a few coefficients alone.
//!
//! `JPEGDCT_SCRIPTS=20000 cargo test --release --test scripts` tries more of them.

#[path = "support/scripts.rs"]
mod scripts;
mod support;

use jpegdct::markers::ImageInfo;
use jpegdct::scans::{Demand, Tile, TileConsumer, decode_tiles};
use jpegdct::{DecodeOptions, Result, Scratch};
use scripts::Random;

/// Per component its blocks, row by row.
type Planes = Vec<Vec<[i16; 64]>>;

/// Keeps the coefficients up to the highest wanted of each component, `None` for all.
#[derive(Clone)]
struct Keep {
    highest: Option<Vec<Option<u8>>>,
    first_passes: bool,
    blocks: Planes,
}

impl Keep {
    fn new(highest: Option<Vec<Option<u8>>>, first_passes: bool) -> Keep {
        Keep { highest, first_passes, blocks: Vec::new() }
    }

    /// The planes, how many scans were decoded, and how many bytes were read for it: the same for any number of threads.
    fn decode(self, bytes: &[u8], scratch: &mut Scratch) -> Result<(Planes, u32, u64)> {
        let mut one = self.clone();
        let options = DecodeOptions::default();
        let summary = decode_tiles(bytes, &options, scratch, &mut one)?;
        for threads in [2, 3, 8] {
            let (mut options, mut several) = (options, self.clone());
            options.threads = threads;
            assert_eq!(decode_tiles(bytes, &options, scratch, &mut several)?, summary, "{threads} threads");
            assert!(several.blocks == one.blocks, "{threads} threads");
        }
        Ok((one.blocks, summary.scans, summary.bytes))
    }
}

impl TileConsumer for Keep {
    fn demand(&mut self, info: &ImageInfo) -> Result<Demand> {
        self.blocks = vec![Vec::new(); info.frame.components.len()];
        let mut demand = Demand::all(info);
        demand.first_passes = self.first_passes;
        if let Some(highest) = &self.highest {
            demand.highest = (0..info.frame.components.len()).map(|i| highest[i % highest.len()]).collect();
        }
        self.highest = Some(demand.highest.to_vec());
        Ok(demand)
    }

    fn begin(&mut self, _: &ImageInfo) -> Result<()> {
        Ok(())
    }

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        for (c, blocks) in self.blocks.iter_mut().enumerate() {
            let kept = self.highest.as_ref().unwrap()[c].map_or(0, |highest| usize::from(highest) + 1);
            for row in tile.rows(c) {
                blocks.extend(tile.row(c, row).iter().map(|block| {
                    let mut wanted = [0; 64];
                    wanted[..kept].copy_from_slice(&block[..kept]);
                    wanted
                }));
            }
        }
        Ok(())
    }
}

/// What of full planes is wanted.
fn selected(planes: &[Vec<[i16; 64]>], highest: &[Option<u8>]) -> Planes {
    let cut = |block: &[i16; 64], kept: usize| std::array::from_fn(|k| if k < kept { block[k] } else { 0 });
    let kept = |c: usize| highest[c % highest.len()].map_or(0, |highest| usize::from(highest) + 1);
    planes.iter().enumerate().map(|(c, plane)| plane.iter().map(|block| cut(block, kept(c))).collect()).collect()
}

#[test]
fn random_scripts_are_decoded_in_whole_and_in_part() {
    let count = std::env::var("JPEGDCT_SCRIPTS").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let mut scratch = Scratch::default();
    let (mut skipped, mut cut) = (0, 0);
    for seed in 0..count {
        let file = scripts::file(seed);
        let name = format!("seed {seed}: {:?}", file.script);
        let truth: Planes = file
            .components
            .iter()
            .map(|c| (0..c.wide * c.high).map(|i| c.block(i % c.wide, i / c.wide)).collect())
            .collect();
        let (all, scans, _) = Keep::new(None, false).decode(&file.bytes, &mut scratch).expect(&name);
        assert!(all == truth, "{name}");
        assert_eq!(scans as usize, file.script.len(), "{name}");
        let mut random = Random(seed);
        for _ in 0..3 {
            let mut highest = || [Some(0), Some(random.below(64) as u8), Some(63), None][random.below(4)];
            let highest = vec![highest(), highest(), highest(), highest()];
            let name = format!("{name}, {highest:?}");
            let (part, some, read) =
                Keep::new(Some(highest.clone()), false).decode(&file.bytes, &mut scratch).expect(&name);
            assert!(part == selected(&truth, &highest), "{name}");
            skipped += scans - some;
            cut += u32::from(read + 2 < file.bytes.len() as u64);
        }
    }
    assert!(skipped > 1000 && cut > 50, "{skipped} scans were skipped, {cut} files were not read to their end");
}

#[test]
fn fixtures_are_the_same_decoded_in_part() {
    let mut scratch = Scratch::default();
    let mut parts = 0;
    for (fixture, bytes) in support::fixtures() {
        let Ok((all, scans, _)) = Keep::new(None, false).decode(&bytes, &mut scratch) else { continue };
        for highest in
            [vec![Some(0)], vec![Some(9), Some(2)], vec![Some(63), Some(0)], vec![Some(5), None], vec![None, Some(63)]]
        {
            let (part, some, _) = Keep::new(Some(highest.clone()), false).decode(&bytes, &mut scratch).unwrap();
            assert!(part == selected(&all, &highest), "{}, {highest:?}", fixture.path);
            assert!(some <= scans);
            parts += u32::from(some < scans);
        }
    }
    assert!(parts > 50, "only {parts} times something was left out");
}

#[test]
fn first_passes_are_all_but_the_low_bits() {
    let bytes = support::read("progressive/420-96x80.jpg");
    let mut scratch = Scratch::default();
    let (all, scans, read) = Keep::new(None, false).decode(&bytes, &mut scratch).unwrap();
    let (first, some, sooner) = Keep::new(None, true).decode(&bytes, &mut scratch).unwrap();
    assert!(some < scans && sooner < read, "{some} of {scans} scans, {sooner} of {read} bytes");
    let mut changed = 0;
    for (all, first) in all.iter().flatten().flatten().zip(first.iter().flatten().flatten()) {
        assert!(all.abs_diff(*first) < 4 && i32::from(*all) * i32::from(*first) >= 0);
        changed += u32::from(all != first);
    }
    assert!(changed > 100);
}
