//! The kinds `planes` and `quantised`: every component at its own true size, all 64 frequencies, as the file has them.
//!
//! What enters: a recipe and the headers. What leaves: a plan with one tensor a component, named after the colour model,
//! and for `quantised` the quantisation tables. No axis map, no colour conversion, no normalisation.

use super::maps::Axis;
use super::plan::{ComponentPlan, Output, Plan, Route, TargetPlan};
use crate::markers::ImageInfo;
use crate::recipe::{Kind, Recipe};
use crate::tensor::{Tensor, Values};

/// Plans one tensor for each component.
pub(super) fn plan_planes(recipe: &Recipe, info: &ImageInfo) -> Plan {
    let quantised = recipe.kind == Kind::Quantised;
    let mut plan = Plan { quant_tables: quantised, ..Plan::default() };
    for (component, c) in info.frame.components.iter().enumerate() {
        let grid = (c.blocks_high as usize, c.blocks_wide as usize);
        let name = info.color.component_name(component);
        plan.targets.push(TargetPlan::new(&name, recipe.layout, 64, grid, recipe.dtype));
        let output = |frequency| Output { frequency, channel: frequency.into(), scale: 1.0, shift: 0.0 };
        plan.components.push(ComponentPlan {
            component,
            rows_per_mcu: usize::from(c.v),
            vertical: Axis::identity(grid.0),
            horizontal: Axis::identity(grid.1),
            route: Route::Store { target: component, outputs: (0..64).map(output).collect() },
            quantised,
        });
    }
    plan
}

/// The tensor `quant_tables`: (components, 8, 8), steps in row-major order, zeros for a component without a table.
pub(super) fn quant_tables(info: &ImageInfo) -> Tensor {
    let rows = info.quant_tables.iter().flat_map(|table| table.map_or([0; 64], |table| table.row_major()));
    Tensor {
        name: "quant_tables".into(),
        shape: vec![info.quant_tables.len(), 8, 8],
        values: Values::U16(rows.collect()),
    }
}
