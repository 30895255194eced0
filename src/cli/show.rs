//! `jpegdct show`: the planes of a tensor as a picture.

use std::path::Path;

use crate::corpus::{Buffers, Dataset, Input, Maker, Passage};
use crate::limits::LimitKind;
use crate::recipe::{Kind, Layout};
use crate::reencode::{ReencodeOptions, Reencoder};
use crate::{Damage, Extractor, Recipe, picture};
use anyhow::{Context, anyhow};
use ndarray::{Array3, ArrayD, Axis, IxDyn};

use super::args::{ShapeArg, ShowArgs};
use super::extract;
use super::failure::{Failure, SUCCESS};

/// About how wide a plane is drawn, in pixels.
const WIDE: usize = 100;

/// Runs the command.
pub fn run(args: &ShowArgs) -> Result<u8, Failure> {
    let is_tensor = args.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
    let (tensor, recipe) = if is_tensor { from_npy(args)? } else { from_image(args)? };
    let array: Array3<f32> =
        tensor.into_dimensionality().map_err(|_| anyhow!("{}: no array of three axes", args.file.display()))?;
    let array = if recipe.layout == Layout::Hwc { array.permuted_axes([2, 0, 1]) } else { array };
    let channels: Vec<usize> = recipe.channels.indices().collect();
    let channels = if channels.len() == array.len_of(Axis(0)) { channels } else { Vec::new() };
    let shape = match args.shape {
        ShapeArg::Square => picture::Shape::Square,
        ShapeArg::Rows => picture::Shape::Rows(8),
    };
    let scale = args.scale.map_or_else(|| WIDE / array.len_of(Axis(2)).clamp(1, WIDE), usize::from);
    let pixels = picture::pixels_of(array.dim(), &channels, shape, scale);
    args.limits
        .limits()
        .check(LimitKind::Pixels, pixels)
        .context("the picture would be too large; try a smaller --scale")?;
    let picture = picture::planes(array.view(), &channels, shape, scale);
    let png = picture.to_png().map_err(|error| anyhow!(error))?;
    std::fs::write(&args.output, png).with_context(|| format!("cannot write {}", args.output.display()))?;
    Ok(SUCCESS)
}

/// The tensor of an image, not normalised.
fn from_image(args: &ShowArgs) -> Result<(ArrayD<f32>, Recipe), Failure> {
    let mut recipe = extract::recipe(&args.recipe.recipe, &args.recipe.changes)?;
    if recipe.kind != Kind::Channels {
        return Err(Failure::usage(anyhow!("channels are drawn; the recipe makes whole planes")));
    }
    for (field, value) in [("dtype", "f32"), ("layout", "chw")] {
        recipe.set(field, value).map_err(Failure::usage)?;
    }
    let options = args.limits.decode_options(Damage::Keep);
    let extractor = Extractor::new(recipe.clone(), options).map_err(Failure::usage)?;
    let reencoder = Reencoder(ReencodeOptions::default());
    let maker = Maker { extractor: &extractor, convert: Some(&reencoder), limits: options.limits };
    let extraction = maker
        .extract(&Input::file(&args.file), None, &mut Buffers::default(), &mut Passage::default(), None)
        .with_context(|| format!("cannot show {}", args.file.display()))?;
    let tensor = extraction.tensors.first().and_then(|tensor| tensor.view_f32());
    let tensor = tensor.ok_or_else(|| anyhow!("{}: no tensor", args.file.display()))?;
    Ok((tensor.to_owned(), recipe))
}

/// A tensor as `extract` wrote it.
fn from_npy(args: &ShowArgs) -> Result<(ArrayD<f32>, Recipe), Failure> {
    let path = &args.file;
    let recipe = match recipe_above(path) {
        Some(recipe) => recipe,
        None => extract::recipe(&args.recipe.recipe, &args.recipe.changes)?,
    };
    let read = || -> anyhow::Result<ArrayD<f32>> {
        let file = npyz::NpyFile::new(std::io::BufReader::new(std::fs::File::open(path)?))?;
        let shape: Vec<usize> = file.shape().iter().map(|&n| usize::try_from(n)).collect::<Result<_, _>>()?;
        let npyz::DType::Plain(dtype) = file.dtype() else { anyhow::bail!("no array of plain numbers") };
        let values: Vec<f32> = match dtype.to_string().as_str() {
            "<f4" => file.into_vec::<f32>()?,
            "<f2" => file.into_vec::<half::f16>()?.into_iter().map(f32::from).collect(),
            "<i2" => file.into_vec::<i16>()?.into_iter().map(f32::from).collect(),
            other => anyhow::bail!("elements are {other}, none of <f4, <f2, <i2"),
        };
        Ok(ArrayD::from_shape_vec(IxDyn(&shape), values)?)
    };
    Ok((read().with_context(|| format!("cannot show {}", path.display()))?, recipe))
}

/// The recipe of the nearest `dataset.json` beside or above a file.
fn recipe_above(path: &Path) -> Option<Recipe> {
    let path = path.canonicalize().ok()?;
    path.ancestors().skip(1).find_map(|folder| {
        let text = std::fs::read(folder.join("dataset.json")).ok()?;
        Some(serde_json::from_slice::<Dataset>(&text).ok()?.settings.recipe)
    })
}
