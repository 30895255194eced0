//! Stages of the route by themselves.
//!
//! What enters: a photograph, decoded beforehand where a stage begins behind the decoder. What leaves: what the stage makes.

use crate::entropy::{BitReader, Window};
use crate::error::Result;
use crate::extractor::{ExtractScratch, Extractor};
use crate::limits::Limits;
use crate::markers::{ImageInfo, Parser};
use crate::scans::{Block, DecodeOptions, Demand, Placement, Scratch, Tile, TileConsumer, decode_tiles};
use crate::tensor::Tensor;

/// Buffers for [`Unstuffer::unstuff`].
#[derive(Debug, Default)]
pub struct Unstuffer {
    window: Window,
}

impl Unstuffer {
    /// Frees the first segment of the first scan from its stuffing and does nothing with it. Returns its bytes.
    ///
    /// # Errors
    /// Those of the headers.
    pub fn unstuff(&mut self, bytes: &[u8]) -> Result<usize> {
        let limits = Limits::default();
        let mut parser = Parser::new(bytes, false, &limits)?;
        let scan = parser.next_scan()?;
        Ok(scan.map_or(0, |scan| BitReader::new(bytes, scan.data, &mut self.window).pass_over()))
    }
}

/// The tiles of one image.
#[derive(Debug, Default)]
pub struct Recording {
    info: Option<ImageInfo>,
    tiles: Vec<(Vec<Block>, Vec<Placement>)>,
}

impl Recording {
    /// Decodes an image.
    ///
    /// # Errors
    /// Those of decoding.
    pub fn new(bytes: &[u8]) -> Result<Recording> {
        let mut recording = Recording::default();
        decode_tiles(bytes, &DecodeOptions::default(), &mut Scratch::default(), &mut recording)?;
        Ok(recording)
    }

    /// Luma pixels of the image.
    pub fn luma_pixels(&self) -> u64 {
        self.info.as_ref().map_or(0, |info| u64::from(info.frame.width) * u64::from(info.frame.height))
    }

    /// Makes tensors of the tiles that the extractor wants. Each is copied to `copy` first, so that it is as near as the
    /// decoder leaves it.
    ///
    /// # Errors
    /// Those of [`Extractor::extract`] behind the decoder.
    pub fn tensors(
        &self,
        extractor: &Extractor,
        scratch: &mut ExtractScratch,
        copy: &mut Vec<Block>,
    ) -> Result<Vec<Tensor>> {
        let Some(info) = &self.info else { return Ok(Vec::new()) };
        let mut builder = extractor.builder("", scratch);
        let demand = builder.demand(info)?;
        builder.begin(info)?;
        let v_max = u32::from(info.frame.v_max);
        for (blocks, placements) in &self.tiles {
            let rows = placements.first().map_or(0..0, |first| first.first_row..first.first_row + first.rows);
            if rows.end.div_ceil(v_max) > demand.mcu_rows.start && rows.start / v_max < demand.mcu_rows.end {
                copy.clear();
                copy.extend_from_slice(blocks);
                builder.tile(&Tile::new(copy, placements))?;
            }
        }
        Ok(builder.finish(info).0)
    }
}

impl TileConsumer for Recording {
    fn demand(&mut self, info: &ImageInfo) -> Result<Demand> {
        Ok(Demand::all(info))
    }

    fn begin(&mut self, info: &ImageInfo) -> Result<()> {
        self.info = Some(info.clone());
        Ok(())
    }

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        self.tiles.push((tile.blocks.to_vec(), tile.placements.to_vec()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    #[test]
    fn a_recording_gives_the_tensors_of_its_file() {
        for name in ["coffee-420", "coffee-progressive"] {
            let path = format!("{}/fixtures/photos/{name}.jpg", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).unwrap();
            let recording = Recording::new(&bytes).unwrap();
            for preset in ["native-192", "dctnet-24"] {
                let extractor = Extractor::new(Recipe::preset(preset).unwrap(), DecodeOptions::default()).unwrap();
                let expected = extractor.extract_bytes(&bytes).unwrap().tensors;
                let mut scratch = ExtractScratch::default();
                assert!(recording.tensors(&extractor, &mut scratch, &mut Vec::new()).unwrap() == expected, "{preset}");
            }
        }
    }

    #[test]
    fn unstuffing_leaves_out_the_stuffing() {
        let path = format!("{}/fixtures/photos/coffee-420.jpg", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        let scan = bytes.windows(2).position(|marker| marker == [0xff, 0xda]).unwrap();
        let length = usize::from(bytes[scan + 2]) << 8 | usize::from(bytes[scan + 3]);
        let data = &bytes[scan + 2 + length..bytes.len() - 2];
        let stuffed = data.windows(2).filter(|two| *two == [0xff, 0]).count();
        assert!(stuffed > 0);
        assert_eq!(Unstuffer::default().unstuff(&bytes).unwrap(), data.len() - stuffed);
    }
}
