//! How many heap allocations one image costs once buffers are warm, and how much of the heap any file may cost.
//!
//! What is handed to the caller is allocated for every image: the tensor's shape, the list of tensors, the headers in the
//! summary, and the values, unless former ones were given back. A sequential image costs none beside these.

use allocation_counter::measure;
use jpegdct::{Coefficients, Damage, DecodeOptions, Error, ExtractScratch, Extractor, Recipe, Scratch};

/// What the caller gets and keeps, in memory that is not used again: shape and list of the tensors; components and
/// quantisation tables of the headers.
const HANDED_OVER: u64 = 4;

/// Recipe, photograph, and the allocations besides. A progressive image has lists for its scans, each as long as there are scans
/// or components: whoever removes some lowers the number.
const BESIDE_THAT: [(&str, &str, u64); 4] = [
    ("native-24", "coffee-420", 0),
    ("native-192", "coffee-420", 0),
    ("dctnet-24", "coffee-420", 0),
    ("native-24", "coffee-progressive", 17),
];

#[test]
fn a_warm_extractor_allocates_what_it_hands_over() {
    for (recipe, photograph, beside) in BESIDE_THAT {
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
        assert!(kept.is_some() && found.count_total >= HANDED_OVER, "the count is blind: {found:?}");
        assert!(
            found.count_total <= HANDED_OVER + beside,
            "{recipe} {photograph}: {} allocations, {HANDED_OVER} and {beside} allowed",
            found.count_total
        );
        assert!(found.bytes_total < 64 << 10, "{recipe} {photograph}: the tensor's memory was not used again");
        // What stays is what was handed over.
        drop(kept);
        let again = measure(|| drop(extractor.extract(&bytes, "", &mut scratch).unwrap()));
        assert_eq!((again.count_current, again.bytes_current), (0, 0), "{recipe} {photograph}: memory grows");
    }
}

/// The limit of memory in what follows, far below what the files ask for.
const MEMORY: u64 = 8 << 20;

/// What one image may cost beside what the limit counts: rows, tables and maps of an image 65500 pixels wide, a tile.
const BESIDE: u64 = 12 << 20;

/// A header that claims an image of this size, then a scan almost without data. Components are 4 x 4, but for the last.
fn hostile(process: u8, components: u8, (width, height): (u16, u16), data: usize) -> Vec<u8> {
    let one_code = [&[1u8][..], &[0; 15]].concat();
    let mut bytes = [&[0xff, 0xd8, 0xff, 0xdb, 0, 67, 0][..], &[1; 64]].concat();
    bytes.extend([&[0xff, 0xc4, 0, 38, 0][..], &one_code, &[0, 0x10], &one_code, &[0]].concat());
    bytes.extend([0xff, process]);
    bytes.extend((8 + 3 * u16::from(components)).to_be_bytes());
    bytes.push(8);
    bytes.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
    bytes.push(components);
    for id in 1..=components {
        bytes.extend([id, if id == components { 0x11 } else { 0x44 }, 0]);
    }
    let last = if matches!(process, 0xc2 | 0xca) { 0 } else { 63 };
    bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, last, 0]);
    bytes.extend(vec![0; data]);
    bytes.extend([0xff, 0xd9]);
    bytes
}

#[test]
fn the_limit_of_memory_bounds_the_heap_whatever_the_header_says() {
    let mut options = DecodeOptions::default();
    (options.damage, options.limits.memory, options.limits.pixels) = (Damage::Keep, MEMORY, u64::MAX);
    let recipes = [
        "",
        "channels = '192'",
        "kind = 'planes'\nlayout = 'blocks'",
        "kind = 'quantised'\nlayout = 'blocks'\ndtype = 'i16'",
        "channels = 'y:0'\n[geometry]\nresize.size = [65536, 65536]",
        "channels = 'y:0'\n[geometry]\nresize.size = [8, 4096]",
        "channels = 'y:0'\n[geometry]\nresize.size = [65536, 8]",
        "[geometry]\nrotate = 90\nresize = { short = 65536, filter = 'bicubic' }\ncrop.center = 64",
        "channels = 'y:0-3'\n[geometry]\nupscale = { luma = 2, chroma = 4, average = 2 }",
    ];
    let extractors = recipes.map(|recipe| Extractor::new(Recipe::from_toml(recipe).unwrap(), options).unwrap());
    let (mut refused, mut made) = (0, 0);
    for process in [0xc0, 0xc1, 0xc2, 0xc9, 0xca] {
        for components in [1, 3, 4, 255] {
            for size in [(65500, 65500), (65500, 8), (8, 65500), (4000, 4000), (100, 100)] {
                let bytes = hostile(process, components, size, 20_000);
                let mut count = |name: &str, work: &mut dyn FnMut() -> Result<(), Error>| {
                    let mut result = Ok(());
                    let found = measure(|| result = work());
                    // An image is collected, and then handed over: each within the limit.
                    assert!(
                        found.bytes_max <= 2 * MEMORY + BESIDE,
                        "{name}: {found:?} for {process:x}, {components} components, {size:?}: {result:?}"
                    );
                    match result {
                        Ok(()) => made += 1,
                        Err(Error::Limit { .. }) => refused += 1,
                        Err(_) => {}
                    }
                };
                count("coefficients", &mut || {
                    Coefficients::decode_with(&bytes, &options, &mut Scratch::default()).map(drop)
                });
                for (extractor, recipe) in extractors.iter().zip(recipes) {
                    count(recipe, &mut || extractor.extract_bytes(&bytes).map(drop));
                }
            }
        }
    }
    assert!(refused > 300 && made > 50, "{refused} refused by a limit, {made} made");
}
