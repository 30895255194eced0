//! From a recipe and the headers of one image to a plan: which components are read, which axis maps they go through,
//! and where each wanted frequency is stored.
//!
//! What enters: a [`Compiled`] recipe and [`ImageInfo`]. What leaves: a [`Plan`], or the reason why the recipe does not
//! fit the image. Nothing is decoded or allocated for the tensor here; the kinds `planes` and `quantised` are planned in
//! [`super::planes`].

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::apply::Strides;
use super::colour;
use super::geometry::{AxisChains, Role};
use super::maps::{Axis, MapKey, Maps, NativeAxis, Wanted};
use super::planes;
use crate::error::{Error, Mismatch, Result};
use crate::limits::{LimitKind, Limits};
use crate::markers::{ColorModel, ImageInfo};
use crate::recipe::photometric::{Hole, Tone};
use crate::recipe::steps::Steps;
use crate::recipe::{Chroma, Edge, Kind, Layout, Recipe, RecipeError};
use crate::scans::Demand;
use crate::spec::frame::Component;
use crate::spec::zigzag::ZIGZAG;
use crate::tensor::Dtype;

/// A validated recipe with its normalisation as one multiplication and one addition a channel.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub recipe: Recipe,
    /// Scale and shift of each channel, tensor order.
    affine: Vec<(f32, f32)>,
    /// The outputs of Y, Cb and Cr where nothing is turned and tones stay.
    plain: [Arc<[Output]>; 3],
}

impl Compiled {
    /// Checks the recipe; its scales and shifts must be finite in f32, so that no value becomes NaN.
    pub fn new(recipe: Recipe) -> Result<Compiled, RecipeError> {
        recipe.validate()?;
        let affine = match recipe.normalize.statistics_for(&recipe.channels)? {
            None => vec![(1.0, 0.0); recipe.channels.len()],
            Some(pairs) => pairs.iter().map(|(mean, std)| ((1.0 / std) as f32, (-mean / std) as f32)).collect(),
        };
        match affine.iter().position(|(scale, shift)| !scale.is_finite() || !shift.is_finite()) {
            Some(channel) => Err(RecipeError::StatisticsValue(channel)),
            None => {
                let plain = std::array::from_fn(|list| outputs(&recipe, &affine, list, false, Tone::PLAIN, 8));
                Ok(Compiled { recipe, affine, plain })
            }
        }
    }

    /// Where the frequencies of Y (0), Cb (1) or Cr (2) go, see [`outputs`].
    fn outputs(&self, list: usize, transposed: bool, tone: Tone, precision: u8) -> Arc<[Output]> {
        match transposed || tone != Tone::PLAIN {
            true => outputs(&self.recipe, &self.affine, list, transposed, tone, precision),
            false => self.plain[list].clone(),
        }
    }
}

/// Where the frequencies of Y (0), Cb (1) or Cr (2) go, in channel order. `transposed`: of the stored image, whose u is the
/// tensor's v. `tone`: what else they are multiplied by.
fn outputs(
    recipe: &Recipe,
    affine: &[(f32, f32)],
    list: usize,
    transposed: bool,
    tone: Tone,
    precision: u8,
) -> Arc<[Output]> {
    let channels = &recipe.channels;
    let first: usize = (0..list).map(|before| channels.component(before).len()).sum();
    let place = |(n, &frequency): (usize, &u8)| {
        let (scale, shift) = affine[first + n];
        let gain = if list == 0 { tone.gain } else { tone.chroma[list - 1] };
        let gain = if frequency == 0 { gain } else { gain * tone.detail };
        // The zero frequency of an offset, half the range being the level shift of T.81 A.3.1.
        let middle = f64::from(1u32 << (precision.clamp(1, 16) - 1));
        let offset = if list == 0 && frequency == 0 { 8.0 * middle * tone.offset } else { 0.0 };
        let finite = |value: f64| (value as f32).clamp(f32::MIN, f32::MAX);
        let shift = finite(f64::from(scale) * offset + f64::from(shift));
        let scale = finite(f64::from(scale) * gain);
        let frequency = if transposed { 8 * (frequency % 8) + frequency / 8 } else { frequency };
        Output { frequency, channel: first + n, scale, shift }
    };
    channels.component(list).iter().enumerate().map(place).collect()
}

/// One channel of a tensor: what is stored is `coefficient * scale + shift`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Row-major index `8 * v + u` in the stored image.
    pub frequency: u8,
    /// Channel of the target.
    pub channel: usize,
    pub scale: f32,
    pub shift: f32,
}

/// The description of a tensor to be filled.
#[derive(Debug, Clone)]
pub(crate) struct TargetPlan {
    pub name: String,
    pub shape: Vec<usize>,
    /// Blocks (high, wide), as the stored image has rows and columns.
    pub grid: (usize, usize),
    pub strides: Strides,
    pub dtype: Dtype,
}

impl TargetPlan {
    /// `channels` values a block, on a grid of blocks (high, wide).
    pub fn new(name: &str, layout: Layout, channels: usize, grid: (usize, usize), dtype: Dtype) -> TargetPlan {
        let (high, wide) = grid;
        let (shape, strides) = match layout {
            Layout::Chw => (vec![channels, high, wide], Strides { channel: high * wide, row: wide, column: 1 }),
            Layout::Hwc => (vec![high, wide, channels], Strides { channel: 1, row: wide * channels, column: channels }),
            Layout::Blocks => (vec![high, wide, 8, 8], Strides { channel: 1, row: wide * 64, column: 64 }),
        };
        TargetPlan { name: name.into(), shape, grid, strides, dtype }
    }

    /// The same tensor for an image whose rows and columns are exchanged: filled column by column.
    fn transposed(self) -> TargetPlan {
        let Strides { channel, row, column } = self.strides;
        let (high, wide) = self.grid;
        TargetPlan { grid: (wide, high), strides: Strides { channel, row: column, column: row }, ..self }
    }

    /// Bytes the tensor takes; saturating, for the check against the limit.
    pub fn bytes(&self) -> u64 {
        let size = if self.dtype == Dtype::F32 { 4 } else { 2 };
        self.shape.iter().fold(size, |product: u64, &n| product.saturating_mul(n as u64))
    }
}

/// Where the finished block rows of a component go.
#[derive(Debug)]
pub(crate) enum Route {
    /// Each wanted frequency to a channel of a target.
    Store { target: usize, outputs: Arc<[Output]> },
    /// To the colour mixer, as its input R (0), G (1) or B (2): these frequencies.
    Mix { input: usize, frequencies: Vec<u8> },
}

impl Route {
    /// Row-major indices of the wanted frequencies.
    pub fn frequencies(&self) -> impl Iterator<Item = u8> + '_ {
        let (outputs, mixed) = match self {
            Route::Store { outputs, .. } => (&outputs[..], [].as_slice()),
            Route::Mix { frequencies, .. } => ([].as_slice(), frequencies.as_slice()),
        };
        outputs.iter().map(|output| output.frequency).chain(mixed.iter().copied())
    }
}

/// What becomes of one component.
#[derive(Debug)]
pub(crate) struct ComponentPlan {
    /// Index in frame order.
    pub component: usize,
    /// Block rows of the component in an MCU row.
    pub rows_per_mcu: usize,
    pub vertical: Axis,
    pub horizontal: Axis,
    pub route: Route,
    /// Quantised values as they are: every quantisation step counts as 1.
    pub quantised: bool,
}

/// The plan for one image.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub targets: SmallVec<[TargetPlan; 3]>,
    pub components: SmallVec<[ComponentPlan; 3]>,
    /// Channels of target 0 that no component feeds: their coefficients are zero.
    pub zeros: Vec<Output>,
    /// Y, Cb and Cr from R, G and B, into target 0.
    pub mix: Option<colour::MixPlan>,
    /// What becomes zero in target 0 at the end, rows and columns as the target has them.
    pub hole: Option<Hole>,
    /// The stored form of a zero coefficient, per channel of target 0; empty without a hole.
    pub hole_values: Vec<f32>,
    /// Whether the quantisation tables are a tensor of their own.
    pub quant_tables: bool,
    /// Whether the first scans of a progressive image are enough.
    pub first_passes: bool,
}

impl Plan {
    /// Makes the plan and checks that its tensors fit the memory limit. `key` names the image, for random steps.
    pub fn new(compiled: &Compiled, info: &ImageInfo, maps: &Maps, limits: &Limits, key: &str) -> Result<Plan> {
        let recipe = &compiled.recipe;
        let plan = match recipe.kind {
            Kind::Channels => plan_channels(compiled, info, maps, limits, key)?,
            Kind::Planes | Kind::Quantised => {
                let plan = planes::plan_planes(recipe, info);
                check_memory(&plan.targets, limits)?;
                plan
            }
        };
        Ok(Plan { first_passes: recipe.skip_refinement, ..plan })
    }

    /// What the decoder must deliver for this plan.
    pub fn demand(&self, info: &ImageInfo) -> Demand {
        let mut highest: SmallVec<_> = smallvec![None; info.frame.components.len()];
        let mut mcu_rows = None::<std::ops::Range<usize>>;
        for plan in &self.components {
            let position = plan
                .route
                .frequencies()
                .flat_map(|frequency| {
                    let (v, u) = (usize::from(frequency / 8), usize::from(frequency % 8));
                    let columns = plan.horizontal.input_frequencies(u);
                    plan.vertical
                        .input_frequencies(v)
                        .flat_map(move |v| columns.clone().map(move |u| ZIGZAG[8 * v + u]))
                })
                .max();
            highest[plan.component] = position.max(highest[plan.component]);
            let rows = plan.vertical.inputs();
            let rows = rows.start / plan.rows_per_mcu..rows.end.div_ceil(plan.rows_per_mcu);
            mcu_rows = Some(match mcu_rows {
                Some(all) => all.start.min(rows.start)..all.end.max(rows.end),
                None => rows,
            });
        }
        let mcu_rows = mcu_rows.unwrap_or(0..0);
        let row = |row: usize| (row as u32).min(info.frame.mcus_high);
        Demand { highest, mcu_rows: row(mcu_rows.start)..row(mcu_rows.end), first_passes: self.first_passes }
    }
}

fn check_memory(targets: &[TargetPlan], limits: &Limits) -> Result<()> {
    limits.check(LimitKind::Memory, targets.iter().map(TargetPlan::bytes).fold(0, u64::saturating_add))
}

/// Kind `channels`: selected frequencies of Y, Cb and Cr on one grid.
fn plan_channels(compiled: &Compiled, info: &ImageInfo, maps: &Maps, limits: &Limits, key: &str) -> Result<Plan> {
    let recipe = &compiled.recipe;
    let (width, height) = (info.frame.width, info.frame.height);
    let steps = match recipe.geometry.is_some() {
        true => Some(recipe.geometry.steps(width, height, info.orientation, key, limits)?),
        false => None,
    };
    let chains = steps
        .as_ref()
        .map(|steps| [Role::Luma, Role::Chroma].map(|role| AxisChains::new(steps, role, info.frame.precision)));
    let transposed = chains.as_ref().is_some_and(|[luma, _]| luma.transposed);
    let grid = channel_grid(recipe, info, steps.as_ref());
    let target = TargetPlan::new("", recipe.layout, recipe.channels.len(), grid, recipe.dtype);
    let target = if transposed { target.transposed() } else { target };
    let mut plan = Plan { targets: smallvec![target], ..Plan::default() };
    // Before maps of that size are built.
    check_memory(&plan.targets, limits)?;
    // Where windows are drawn at random, no two images share a map, but the components of one do.
    let own = Maps::default();
    let step_maps = if recipe.geometry.is_random() { &own } else { maps };
    let bytes = plan.targets.iter().map(TargetPlan::bytes).fold(0, u64::saturating_add);
    let width = steps.as_ref().map(|steps| u64::from(if transposed { steps.height } else { steps.width }));
    let chains = chains.as_ref();
    let mut component =
        ComponentPlanner { recipe, info, limits, maps, step_maps, chains, width, bytes, counted: SmallVec::new() };
    let tone = recipe.photometric.tone(key);
    let outputs = |list| compiled.outputs(list, transposed, tone, info.frame.precision);
    let mut add = |index: usize, role: Role, route: Route| {
        plan.components.push(component.plan(index, role, route)?);
        Ok::<_, Error>(())
    };
    match info.color {
        ColorModel::Grayscale => add(0, Role::Luma, Route::Store { target: 0, outputs: outputs(0) })?,
        ColorModel::YCbCr => {
            for (index, role) in [Role::Luma, Role::Chroma, Role::Chroma].into_iter().enumerate() {
                add(index, role, Route::Store { target: 0, outputs: outputs(index) })?;
            }
        }
        ColorModel::Rgb => {
            let mix = colour::MixPlan::new(std::array::from_fn(outputs));
            for input in 0..3 {
                add(input, Role::Luma, Route::Mix { input, frequencies: mix.frequencies().to_vec() })?;
            }
            plan.mix = Some(mix);
        }
        model => return Err(Error::Mismatch(Mismatch::ColorModel(model))),
    }
    if let Some(hole) = recipe.photometric.hole(key, grid) {
        let Hole { rows, columns } = hole;
        plan.hole = Some(if transposed { Hole { rows: columns, columns: rows } } else { Hole { rows, columns } });
        plan.hole_values = compiled.affine.iter().map(|(_, shift)| *shift).collect();
    }
    plan.components.retain(|component| component.route.frequencies().next().is_some());
    if info.color == ColorModel::Grayscale {
        plan.zeros = [outputs(1), outputs(2)].concat();
    }
    if recipe.chroma == Chroma::None {
        check_sizes(&plan, &info.frame.components)?;
    }
    Ok(plan)
}

/// The grid of the channel tensor, blocks (high, wide): of the last step, or else the frame's, or without upsampling the
/// first component's.
fn channel_grid(recipe: &Recipe, info: &ImageInfo, steps: Option<&Steps>) -> (usize, usize) {
    if let Some(steps) = steps {
        return (steps.height.div_ceil(8) as usize, steps.width.div_ceil(8) as usize);
    }
    match (recipe.chroma, info.frame.components.first()) {
        (Chroma::None, Some(first)) => (first.blocks_high as usize, first.blocks_wide as usize),
        _ => (info.frame.height.div_ceil(8) as usize, info.frame.width.div_ceil(8) as usize),
    }
}

/// What the plans of an image's components have in common.
struct ComponentPlanner<'a> {
    recipe: &'a Recipe,
    info: &'a ImageInfo,
    maps: &'a Maps,
    /// Maps of the recipe's geometry.
    step_maps: &'a Maps,
    /// Of luma and of chroma, where the recipe has geometry.
    chains: Option<&'a [AxisChains; 2]>,
    limits: &'a Limits,
    /// Samples in a stored row of the result, where the recipe has geometry.
    width: Option<u64>,
    /// Of the tensor and the maps so far.
    bytes: u64,
    /// The maps so far.
    counted: SmallVec<[MapKey; 4]>,
}

impl ComponentPlanner<'_> {
    fn plan(&mut self, component: usize, role: Role, route: Route) -> Result<ComponentPlan> {
        let (recipe, frame) = (self.recipe, &self.info.frame);
        let Some(c) = frame.components.get(component) else {
            return Err(Error::Mismatch(Mismatch::ColorModel(self.info.color)));
        };
        let highest = |of: fn(u8) -> u8| route.frequencies().map(of).max().map_or(1, |f| usize::from(f) + 1);
        let (kept_v, kept_u) = (highest(|f| f / 8), highest(|f| f % 8));
        let vertical = NativeAxis { samples: c.height, frame: frame.height, factor: c.v, factor_max: frame.v_max };
        let horizontal = NativeAxis { samples: c.width, frame: frame.width, factor: c.h, factor_max: frame.h_max };
        let chains = self.chains.map(|[luma, chroma]| if role == Role::Luma { luma } else { chroma });
        let edge = if chains.is_some() { Edge::Replicate } else { recipe.edge };
        let [vertical_steps, horizontal_steps]: [&[_]; 2] =
            chains.map_or([&[], &[]], |chains| [&chains.vertical, &chains.horizontal]);
        let mut map = |axis: NativeAxis, steps: &[_], kept| {
            let (wanted, maps) = match steps {
                [] => (axis.native(recipe.chroma, edge, kept), self.maps),
                steps => (axis.through(recipe.chroma, steps, kept), self.step_maps),
            };
            self.count(&wanted)?;
            Ok::<_, Error>(wanted.make(maps))
        };
        let (vertical, horizontal) =
            (map(vertical, vertical_steps, kept_v)?, map(horizontal, horizontal_steps, kept_u)?);
        // Rows are mapped before columns: between the two there is an image of the rows that are read, as wide as the result.
        if let Some(width) = self.width {
            let rows = (8 * vertical.inputs().len() as u64).min(c.height.into());
            self.limits.check(LimitKind::Pixels, rows.saturating_mul(width))?;
        }
        Ok(ComponentPlan { component, rows_per_mcu: usize::from(c.v), vertical, horizontal, route, quantised: false })
    }

    /// Counts a map that was not counted, before it is made.
    fn count(&mut self, wanted: &Wanted) -> Result<()> {
        let Some(key) = wanted.key().filter(|key| !self.counted.contains(key)) else { return Ok(()) };
        self.bytes = self.bytes.saturating_add(key.bytes());
        self.limits.check(LimitKind::Memory, self.bytes)?;
        self.counted.push(key.clone());
        Ok(())
    }
}

/// Without upsampling every wanted component must have the blocks of the first.
fn check_sizes(plan: &Plan, components: &[Component]) -> Result<()> {
    let size = |c: &Component| (c.blocks_wide, c.blocks_high);
    for &ComponentPlan { component, .. } in &plan.components {
        let (blocks, luma) = (size(&components[component]), size(&components[0]));
        if blocks != luma {
            return Err(Error::Mismatch(Mismatch::PlaneSize { component, blocks, luma }));
        }
    }
    Ok(())
}
