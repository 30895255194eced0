//! Tensors in memory of the caller's: the same values, every one of them, and errors where the memory does not fit.

mod support;

use half::f16;
use jpegdct::error::Mismatch;
use jpegdct::{DecodeOptions, Error, ExtractScratch, Extractor, Recipe, Tensor, TensorMut, Values, ValuesMut};

fn extractor(toml: &str) -> Extractor {
    Extractor::new(Recipe::from_toml(toml).unwrap(), DecodeOptions::default()).unwrap()
}

fn shape(tensor: &Tensor) -> [usize; 3] {
    tensor.shape[..].try_into().unwrap()
}

#[test]
fn values_are_those_of_a_tensor() {
    // Stored as it is, turned, resized, with a cutout, the three types, channels last.
    let recipes = [
        "",
        "dtype = \"f16\"\nlayout = \"hwc\"",
        "dtype = \"i16\"\n[geometry]\norient = true\nrotate = 90",
        "[geometry]\nresize = { size = [40, 56] }\n[photometric]\ncutout = { blocks = 2, p = 1.0 }",
    ];
    for recipe in recipes {
        let extractor = extractor(recipe);
        let (mut scratch, mut made) = (ExtractScratch::default(), 0);
        for (fixture, bytes) in support::fixtures() {
            let Ok(whole) = extractor.extract(&bytes, "key", &mut scratch) else { continue };
            let (shape, len) = (shape(&whole.tensors[0]), whole.tensors[0].values.len());
            // What was there must not show.
            let (mut f32s, mut f16s, mut i16s) = (vec![1e9f32; len], vec![f16::MAX; len], vec![12345i16; len]);
            let values = match whole.tensors[0].values {
                Values::F32(_) => ValuesMut::F32(&mut f32s),
                Values::F16(_) => ValuesMut::F16(&mut f16s),
                _ => ValuesMut::I16(&mut i16s),
            };
            let memory = TensorMut { shape, values };
            let written = extractor.extract_into(&bytes, "key", &mut scratch, memory).unwrap();
            let same = match &whole.tensors[0].values {
                Values::F32(values) => *values == f32s,
                Values::F16(values) => *values == f16s,
                Values::I16(values) => *values == i16s,
                Values::U16(_) => false,
            };
            assert!(same, "{}: {recipe}", fixture.path);
            assert!(written.tensors.is_empty() && written.saturated == whole.saturated, "{}", fixture.path);
            assert_eq!(written.summary, whole.summary, "{}", fixture.path);
            made += 1;
        }
        assert!(made > 100, "{made} fixtures for {recipe}");
    }
}

#[test]
fn memory_that_does_not_fit_is_an_error_and_left_alone() {
    let bytes = support::read("photos/coffee-420.jpg");
    let native = extractor("");
    let tensor = native.extract_bytes(&bytes).unwrap().tensors.remove(0);
    let right = shape(&tensor);
    let len = tensor.values.len();
    let refused = |extractor: &Extractor, shape: [usize; 3], len: usize| {
        let mut values = vec![7.0f32; len];
        let memory = TensorMut { shape, values: ValuesMut::F32(&mut values) };
        let result = extractor.extract_into(&bytes, "", &mut ExtractScratch::default(), memory);
        assert!(values.iter().all(|&value| value == 7.0));
        match result {
            Err(Error::Mismatch(mismatch)) => mismatch,
            other => panic!("{other:?}"),
        }
    };
    let turned = [right[0], right[2], right[1]];
    assert_eq!(refused(&native, turned, len), Mismatch::Shape { tensor: right, memory: turned });
    let huge = [usize::MAX; 3];
    assert_eq!(refused(&native, huge, len), Mismatch::Shape { tensor: right, memory: huge });
    for other in [0, len - 1, len + 1] {
        assert_eq!(refused(&native, right, other), Mismatch::Length { tensor: len, memory: other });
    }
    let halves = extractor("dtype = \"f16\"");
    assert_eq!(refused(&halves, right, len), Mismatch::Dtype { tensor: "f16", memory: "f32" });
    for preset in ["planes", "quantised"] {
        let several = Extractor::new(Recipe::preset(preset).unwrap(), DecodeOptions::default()).unwrap();
        assert_eq!(refused(&several, right, len), Mismatch::Several, "{preset}");
    }
}
