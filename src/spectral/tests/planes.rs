//! Kinds `planes` and `quantised`.

use super::image::Image;
use crate::error::{Error, Malformed};
use crate::markers::ColorModel::{self, Cmyk, Grayscale, Rgb, Unknown, YCbCr, Ycck};
use crate::recipe::{Layout, Recipe};
use crate::spec::zigzag::to_row_major;
use crate::tensor::{Dtype, Tensor, Values};

/// The quantised blocks of a component's true grid, row-major frequencies.
fn quantised(image: &Image, component: usize) -> Vec<[i16; 64]> {
    let c = &image.info.frame.components[component];
    let rows = image.blocks[component].chunks(c.padded_blocks_wide as usize).take(c.blocks_high as usize);
    rows.flat_map(|row| row[..c.blocks_wide as usize].iter().map(to_row_major)).collect()
}

fn to_chw<T: Copy>(blocks: &[[T; 64]]) -> Vec<T> {
    (0..64).flat_map(|c| blocks.iter().map(move |block| block[c])).collect()
}

fn recipe(name: &str, layout: Layout, dtype: Dtype) -> Recipe {
    Recipe { layout, dtype, ..Recipe::preset(name).unwrap() }
}

#[test]
fn planes_are_the_dequantised_blocks() {
    let image = Image::random(600, 28, &[(2, 2), (1, 1), (1, 1)], YCbCr, 7);
    for layout in [Layout::Blocks, Layout::Hwc, Layout::Chw] {
        let (tensors, saturated) = image.build(&recipe("planes", layout, Dtype::F32), 2).unwrap();
        assert_eq!((tensors.len(), saturated), (3, 0));
        for (component, (tensor, name)) in tensors.iter().zip(["y", "cb", "cr"]).enumerate() {
            let steps = image.info.quant_tables[component].unwrap().row_major();
            let blocks: Vec<[f32; 64]> = quantised(&image, component)
                .iter()
                .map(|block| std::array::from_fn(|i| f32::from(block[i]) * f32::from(steps[i])))
                .collect();
            let (high, wide) = if component == 0 { (4, 75) } else { (2, 38) };
            let (shape, values) = match layout {
                Layout::Blocks => (vec![high, wide, 8, 8], blocks.concat()),
                Layout::Hwc => (vec![high, wide, 64], blocks.concat()),
                Layout::Chw => (vec![64, high, wide], to_chw(&blocks)),
            };
            assert_eq!(*tensor, Tensor { name: name.into(), shape, values: Values::F32(values) });
        }
    }
}

#[test]
fn quantised_values_and_tables() {
    let mut image = Image::random(19, 40, &[(1, 2), (1, 1), (1, 1)], Rgb, 7);
    image.blocks[1][0][0] = i16::MIN;
    image.info.quant_tables[2] = None;
    for layout in [Layout::Blocks, Layout::Chw] {
        let (tensors, saturated) = image.build(&recipe("quantised", layout, Dtype::I16), 1).unwrap();
        assert_eq!((tensors.len(), saturated), (4, 0));
        for (component, (tensor, name)) in tensors.iter().zip(["r", "g", "b"]).enumerate() {
            let blocks = quantised(&image, component);
            let values = if layout == Layout::Chw { to_chw(&blocks) } else { blocks.concat() };
            assert_eq!((tensor.name.as_str(), &tensor.values), (name, &Values::I16(values)));
        }
        let tables = [0, 1, 2].map(|c| image.info.quant_tables[c].map_or([0; 64], |table| table.row_major())).concat();
        let expected = Tensor { name: "quant_tables".into(), shape: vec![3, 8, 8], values: Values::U16(tables) };
        assert_eq!(tensors[3], expected);
    }
    let planes = image.build(&recipe("planes", Layout::Blocks, Dtype::F32), 1);
    assert!(matches!(planes, Err(Error::Malformed { kind: Malformed::MissingQuantTable(0), .. })));
}

#[test]
fn names_follow_the_colour_model() {
    let names = |count: usize, color: ColorModel| {
        let image = Image::random(9, 9, &vec![(1, 1); count], color, 1);
        let (tensors, _) = image.build(&Recipe::preset("planes").unwrap(), 1).unwrap();
        tensors.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(1, Grayscale), "y");
    assert_eq!(names(4, Cmyk), "c m y k");
    assert_eq!(names(4, Ycck), "y cb cr k");
    assert_eq!(names(2, Unknown), "c0 c1");
}
