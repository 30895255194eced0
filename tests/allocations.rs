//! How many heap allocations one image costs once buffers are warm.
//!
//! What is handed to the caller is allocated for every image: the tensor's shape, the list of tensors, the headers in the
//! summary, and the values, unless former ones were given back. Everything else is a target: zero.

use allocation_counter::measure;
use jpegdct::{DecodeOptions, ExtractScratch, Extractor, Recipe};

/// What the caller gets and keeps, in memory that is not used again: shape and list of the tensors; components and
/// quantisation tables of the headers.
const TARGET: u64 = 4;

/// Recipe, photograph, and the allocations of today. Whoever removes some lowers the number.
const TODAY: [(&str, &str, u64); 4] = [
    ("native-24", "coffee-420", 24),
    ("native-192", "coffee-420", 24),
    ("dctnet-24", "coffee-420", 35),
    ("native-24", "coffee-progressive", 82),
];

#[test]
fn a_warm_extractor_allocates_no_more_than_it_did() {
    for (recipe, photograph, today) in TODAY {
        let path = format!("{}/fixtures/photos/{photograph}.jpg", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        let extractor = Extractor::new(Recipe::preset(recipe).unwrap(), DecodeOptions::default()).unwrap();
        let mut scratch = ExtractScratch::default();
        for _ in 0..3 {
            let extraction = extractor.extract(&bytes, "", &mut scratch).unwrap();
            scratch.recycle(extraction);
        }
        let mut kept = None;
        let found = measure(|| kept = Some(extractor.extract(&bytes, "", &mut scratch).unwrap()));
        println!("{recipe} {photograph}: {} allocations, {} bytes", found.count_total, found.bytes_total);
        assert!(kept.is_some() && found.count_total >= TARGET, "the count is blind: {found:?}");
        assert!(
            found.count_total <= today,
            "{recipe} {photograph}: {} allocations, {today} allowed",
            found.count_total
        );
        assert!(found.bytes_total < 64 << 10, "{recipe} {photograph}: the tensor's memory was not used again");
        // What stays is what was handed over.
        drop(kept);
        let again = measure(|| drop(extractor.extract(&bytes, "", &mut scratch).unwrap()));
        assert_eq!((again.count_current, again.bytes_current), (0, 0), "{recipe} {photograph}: memory grows");
    }
}
