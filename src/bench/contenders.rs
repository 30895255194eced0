//! The rows of the table: each way to read a JPEG, behind one function.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::libjpeg;
use super::pixels::{PixelPath, reencoded, rgb};
use crate::coefficients::Coefficients;
use crate::corpus::text_of;
use crate::error::Result;
use crate::extractor::{ExtractScratch, Extractor};
use crate::markers::ImageInfo;
use crate::recipe::geometry::{RandomResizedCrop, Size};
use crate::recipe::{ChannelSet, Recipe, RecipeError};
use crate::scans::{DecodeOptions, Demand, Scratch, Tile, TileConsumer, decode_tiles};

/// The row all others are compared with: libjpeg's coefficients.
pub const YARDSTICK: &str = "libjpeg-coefficients";
/// The row of the pixel path to the same tensor.
pub const PIXEL_PATH: &str = "pixel-path";
/// The row whose tensor the pixel path makes too.
pub const TENSOR: &str = "native-24-f32";

/// One way to read a JPEG.
pub struct Contender {
    /// The row's name for programs.
    pub id: &'static str,
    /// The row's name for people.
    pub name: &'static str,
    /// Whether it is this crate's own work alone.
    pub own: bool,
    work: Work,
}

/// What is done with one image. The reason, where it cannot be.
type Work = Box<dyn FnMut(&[u8]) -> Result<(), String>>;

impl Contender {
    fn new(
        id: &'static str,
        name: &'static str,
        own: bool,
        work: impl FnMut(&[u8]) -> Result<(), String> + 'static,
    ) -> Contender {
        Contender { id, name, own, work: Box::new(work) }
    }

    /// Reads one image. A panic, which is how some of libjpeg's errors arrive, is a reason like any other.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn run(&mut self, bytes: &[u8]) -> Result<(), String> {
        catch_unwind(AssertUnwindSafe(|| (self.work)(bytes))).unwrap_or_else(|panic| Err(text_of(&*panic)))
    }
}

/// All rows, in the order of the table.
///
/// # Errors
/// None: the recipes are presets.
pub fn contenders(options: DecodeOptions) -> Result<Vec<Contender>, RecipeError> {
    #[cfg_attr(not(feature = "bench-zune"), allow(unused_mut))]
    let mut all = vec![
        Contender::new(YARDSTICK, "libjpeg: quantised coefficients", false, |bytes| {
            black_box(libjpeg::coefficients(bytes)?);
            Ok(())
        }),
        tiles("tiles", "tiles of quantised coefficients", [Some(63), Some(63)], options),
        tiles("tiles-dc", "tiles of DC coefficients alone", [Some(0), Some(0)], options),
        tiles("tiles-y-64-c-1", "tiles of all of Y and the DC of chroma", [Some(63), Some(0)], options),
        coefficients(options),
        tensor(TENSOR, "tensor native-24, f32", "native-24", &[], options)?,
        tensor("native-24-f16", "tensor native-24, f16", "native-24", &[("dtype", "f16")], options)?,
        tensor("native-192-f32", "tensor native-192, f32", "native-192", &[], options)?,
        tensor("native-192-f16", "tensor native-192, f16", "native-192", &[("dtype", "f16")], options)?,
        tensor("dctnet-24-f32", "tensor dctnet-24, f32, maps kept", "dctnet-24", &[], options)?,
        dctnet_alone(options)?,
        random_crops(options)?,
        tensor("dc-f32", "tensor of DC alone, f32", "native-24", &[("channels", "zigzag:1,1,1")], options)?,
        tensor(
            "y-64-c-1-f32",
            "tensor of all of Y and the DC of chroma, f32",
            "native-24",
            &[("channels", "zigzag:64,1,1")],
            options,
        )?,
        tensor(
            "native-24-f32-first",
            "tensor native-24, f32, without refinement scans",
            "native-24",
            &[("skip-refinement", "on")],
            options,
        )?,
        pixel_path(),
        reencode_path(options)?,
        Contender::new("libjpeg-rgb", "libjpeg: decode to RGB", false, |bytes| {
            black_box(rgb(bytes).map_err(|error| error.to_string())?);
            Ok(())
        }),
        Contender::new("jpeg-decoder", "jpeg-decoder: decode", false, |bytes| {
            black_box(jpeg_decoder::Decoder::new(bytes).decode().map_err(|error| error.to_string())?);
            Ok(())
        }),
    ];
    #[cfg(feature = "bench-zune")]
    all.push(Contender::new("zune-jpeg", "zune-jpeg: decode", false, |bytes| {
        let mut decoder = zune_jpeg::JpegDecoder::new(zune_jpeg::zune_core::bytestream::ZCursor::new(bytes));
        black_box(decoder.decode().map_err(|error| error.to_string())?);
        Ok(())
    }));
    Ok(all)
}

/// Rows that several threads can do together, by one thread and by `threads`.
///
/// # Errors
/// None: the recipe is a preset.
pub fn together(options: DecodeOptions, threads: usize) -> Result<Vec<[Contender; 2]>, RecipeError> {
    let [one, several] = [1, threads].map(|threads| DecodeOptions { threads, ..options });
    let all = [Some(63), Some(63)];
    let tiles = |options| tiles("tiles", "tiles of quantised coefficients", all, options);
    let tensor = |options| tensor(TENSOR, "tensor native-24, f32", "native-24", &[], options);
    Ok(vec![[tiles(one), tiles(several)], [coefficients(one), coefficients(several)], [tensor(one)?, tensor(several)?]])
}

/// A preset with changes.
fn recipe(preset: &str, changes: &[(&str, &str)]) -> Result<Recipe, RecipeError> {
    let mut recipe = Recipe::load(preset)?;
    changes.iter().try_for_each(|(field, value)| recipe.set(field, value))?;
    Ok(recipe)
}

/// Makes a tensor and gives its memory back, as a corpus run does.
fn make(extractor: &Extractor, bytes: &[u8], key: &str, scratch: &mut ExtractScratch) -> Result<(), String> {
    let extraction = extractor.extract(bytes, key, scratch).map_err(|error| error.to_string())?;
    scratch.recycle(black_box(extraction));
    Ok(())
}

fn tensor(
    id: &'static str,
    name: &'static str,
    preset: &str,
    changes: &[(&str, &str)],
    options: DecodeOptions,
) -> Result<Contender, RecipeError> {
    let extractor = Extractor::new(recipe(preset, changes)?, options)?;
    let mut scratch = ExtractScratch::default();
    Ok(Contender::new(id, name, true, move |bytes| make(&extractor, bytes, "", &mut scratch)))
}

/// As for an image of a size that was never seen: no map is kept from one image to the next.
fn dctnet_alone(options: DecodeOptions) -> Result<Contender, RecipeError> {
    let recipe = recipe("dctnet-24", &[])?;
    let mut scratch = ExtractScratch::default();
    Ok(Contender::new("dctnet-24-f32-alone", "tensor dctnet-24, f32, maps made for each image", true, move |bytes| {
        let extractor = Extractor::new(recipe.clone(), options).map_err(|error| error.to_string())?;
        make(&extractor, bytes, "", &mut scratch)
    }))
}

/// As in training: every time another part of the image, at another scale, now and then flipped.
fn random_crops(options: DecodeOptions) -> Result<Contender, RecipeError> {
    let mut recipe = recipe("dctnet-24", &[])?;
    let geometry = &mut recipe.geometry;
    (geometry.resize, geometry.crop, geometry.flip) = (None, None, Some(0.5));
    geometry.random_resized_crop = Some(RandomResizedCrop::new(Size { height: 448, width: 448 }));
    let extractor = Extractor::new(recipe, options)?;
    let (mut scratch, mut turn) = (ExtractScratch::default(), 0u64);
    let name = "tensor dctnet-24, f32, random resized crop and flip";
    Ok(Contender::new("dctnet-24-f32-random", name, true, move |bytes| {
        turn += 1;
        make(&extractor, bytes, &turn.to_string(), &mut scratch)
    }))
}

/// Coefficients up to those of `highest`, of the first component and of the others.
fn tiles(id: &'static str, name: &'static str, highest: [Option<u8>; 2], options: DecodeOptions) -> Contender {
    let mut scratch = Scratch::default();
    Contender::new(id, name, true, move |bytes| {
        decode_tiles(bytes, &options, &mut scratch, &mut Nobody { highest }).map_err(|error| error.to_string())?;
        Ok(())
    })
}

fn coefficients(options: DecodeOptions) -> Contender {
    let mut scratch = Scratch::default();
    Contender::new("coefficients", "coefficients, row-major planes", true, move |bytes| {
        black_box(Coefficients::decode_with(bytes, &options, &mut scratch).map_err(|error| error.to_string())?);
        Ok(())
    })
}

fn pixel_path() -> Contender {
    let mut path = PixelPath::new(&ChannelSet::default());
    Contender::new(PIXEL_PATH, "pixel path: libjpeg to YCbCr, forward DCT, native-24", false, move |bytes| {
        black_box(path.tensor(bytes).map_err(|error| error.to_string())?);
        Ok(())
    })
}

fn reencode_path(options: DecodeOptions) -> Result<Contender, RecipeError> {
    let extractor = Extractor::new(recipe("native-24", &[])?, options)?;
    let mut scratch = ExtractScratch::default();
    let name = "re-encode path: libjpeg to RGB, encode at 100, native-24";
    Ok(Contender::new("reencode-path", name, false, move |bytes| {
        let bytes = reencoded(bytes).map_err(|error| error.to_string())?;
        make(&extractor, &bytes, "", &mut scratch)
    }))
}

/// Takes tiles and does nothing: what is left is entropy decoding.
struct Nobody {
    /// What is wanted of the first component and of the others.
    highest: [Option<u8>; 2],
}

impl TileConsumer for Nobody {
    fn demand(&mut self, info: &ImageInfo) -> Result<Demand> {
        let mut demand = Demand::all(info);
        demand.highest.iter_mut().enumerate().for_each(|(c, highest)| *highest = self.highest[c.min(1)]);
        Ok(demand)
    }

    fn begin(&mut self, _: &ImageInfo) -> Result<()> {
        Ok(())
    }

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        black_box(tile);
        Ok(())
    }
}
