//! Pieces decoded one by one on one thread, so that which of them are of use is the same every time.

use smallvec::SmallVec;

use super::cut::{Cut, Mark, Piece};
use super::front::{Front, Halt};
use crate::entropy::{BitReader, SLACK, Window};
use crate::error::Result;
use crate::limits::Limits;
use crate::markers::{ImageInfo, Log, Parser};
use crate::scans::coders::{Sequential, TableCache};
use crate::scans::restart::Segments;
use crate::scans::stream::{Tiles, stream_scan};
use crate::scans::{Block, Demand, Tile, TileConsumer};
use crate::spec::frame::Frame;

/// Keeps all blocks, component by component and row by row.
#[derive(Default, PartialEq)]
struct Kept(Vec<Vec<Block>>);

impl TileConsumer for Kept {
    fn demand(&mut self, info: &ImageInfo) -> Result<Demand> {
        Ok(Demand::all(info))
    }

    fn begin(&mut self, _: &ImageInfo) -> Result<()> {
        Ok(())
    }

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        self.0.resize_with(tile.placements.len(), Vec::new);
        for (component, blocks) in self.0.iter_mut().enumerate() {
            for row in tile.rows(component) {
                blocks.extend(tile.row(component, row).iter());
            }
        }
        Ok(())
    }
}

/// How many pieces a file is cut in for two threads, and how many of them were of use.
fn pieces(name: &str) -> (usize, usize) {
    let path = format!("{}/fixtures/photos/{name}", env!("CARGO_MANIFEST_DIR"));
    let data = std::fs::read(path).unwrap();
    let limits = Limits::default();
    let mut parser = Parser::new(&data, true, &limits).unwrap();
    let scan = parser.next_scan().unwrap().unwrap();
    let header = parser.frame.clone().unwrap();
    let (width, height) = (header.width.into(), header.height.into());
    let frame = Frame::new(header.process, header.precision, width, height, &header.components);
    let all = Demand { highest: SmallVec::new(), mcu_rows: 0..frame.mcus_high, first_passes: false };
    let mut log = Log::new(true);
    let coder = Sequential::new(&scan, &mut parser.tables, &mut TableCache::default(), &mut log).unwrap();
    let (mut window, mut other) = (Window::default(), Window::default());
    let mut segments = Segments::new(&data, BitReader::new(&data, scan.data, &mut window), parser.restart_interval);

    let (mut tiles, mut together) = (Tiles::new(&frame, &scan, &all), Kept::default());
    let cut = Cut::new(&data, &tiles, &segments, &coder, 2, &limits).unwrap();
    let mut blocks = vec![[0; 64]; cut.front + SLACK];
    let mut front = Front {
        cut: &cut,
        end: tiles.mcus_before_last_wanted(),
        tiles: &mut tiles,
        blocks: &mut blocks,
        consumer: &mut together,
        done: 0,
        at: Mark { place: cut.begin, ..Mark::default() },
        outcome: Ok(()),
    };
    let (mut piece, mut used) = (Piece::default(), 0);
    for number in 0..cut.count {
        cut.decode(number, &mut piece);
        match front.take_over(&mut piece) {
            Ok(true) => used += 1,
            Ok(false) => match front.go_on(cut.start_of(number + 1), &mut piece.window) {
                Ok(()) | Err(Halt::Here) => {}
                Err(Halt::Refused(error)) => panic!("{error}"),
            },
            Err(Halt::Here) => break,
            Err(Halt::Refused(error)) => panic!("{error}"),
        }
    }
    let (done, at) = (front.done, front.at);
    segments.go_to(at.place);
    let mut rest = coder.clone();
    rest.predictions = at.predictions;
    stream_scan(&mut tiles, done, segments, rest, &mut blocks, &mut log, &mut together).unwrap();

    let mut alone = Kept::default();
    let segments = Segments::new(&data, BitReader::new(&data, scan.data, &mut other), parser.restart_interval);
    stream_scan(&mut tiles, 0, segments, coder, &mut Vec::new(), &mut log, &mut alone).unwrap();
    assert!(together == alone, "{name}: pieces make something else");
    (cut.count, used)
}

#[test]
fn nearly_all_pieces_of_photographs_fall_into_step() {
    for name in ["chelsea-444.jpg", "chelsea-grey.jpg", "coffee-420.jpg", "rocket-420.jpg", "chelsea-422-restart.jpg"] {
        let (count, used) = pieces(name);
        assert!(count >= 3 && used + 1 >= count - count / 10, "{name}: {used} of {count} pieces were of use");
    }
}
