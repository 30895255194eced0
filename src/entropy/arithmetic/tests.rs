//! The decoder against the test sequence of the standard, and against the flow charts as they stand there.

use super::states::STATES;
use super::*;

/// The decoder of T.81 D.2 figure by figure: one bit at a time, the code in two registers of 16 bits.
struct FlowCharts<'a> {
    data: &'a [u8],
    a: u32,
    c: u32,
    ct: u32,
}

impl FlowCharts<'_> {
    /// Figure D.23 (Initdec).
    fn start(data: &[u8]) -> FlowCharts<'_> {
        let mut decoder = FlowCharts { data, a: 0x10000, c: 0, ct: 0 };
        decoder.byte_in();
        decoder.c <<= 8;
        decoder.byte_in();
        decoder.c <<= 8;
        decoder.ct = 0;
        decoder
    }

    /// Figures D.20 and D.21 (Byte_in, Unstuff_0), for data without fill bytes.
    fn byte_in(&mut self) {
        match *self.data {
            [0xff, 0, ref rest @ ..] => {
                self.c += 0xff00;
                self.data = rest;
            }
            [] | [0xff, ..] => {}
            [byte, ref rest @ ..] => {
                self.c += u32::from(byte) << 8;
                self.data = rest;
            }
        }
    }

    /// Figures D.16 to D.19 and D.22 (Decode, Cond_LPS_exchange, Cond_MPS_exchange, Renorm_d).
    fn decode(&mut self, bin: &mut Bin) -> bool {
        let state = STATES[usize::from(*bin)];
        let (qe, mps) = (u32::from(state.qe), *bin & 1);
        self.a -= qe;
        let (decision, renormalise) = if self.c >> 16 < self.a {
            if self.a >= 0x8000 {
                (mps, false)
            } else if self.a < qe {
                *bin = state.after_lps;
                (1 - mps, true)
            } else {
                *bin = state.after_mps;
                (mps, true)
            }
        } else {
            self.c -= self.a << 16;
            let decision = if self.a < qe {
                *bin = state.after_mps;
                mps
            } else {
                *bin = state.after_lps;
                1 - mps
            };
            self.a = qe;
            (decision, true)
        };
        while renormalise && self.a < 0x8000 {
            if self.ct == 0 {
                self.byte_in();
                self.ct = 8;
            }
            self.a <<= 1;
            self.c <<= 1;
            self.ct -= 1;
        }
        decision == 1
    }
}

/// T.81 K.4.1: 256 decisions in one context, and their code with the marker stuffing.
#[test]
fn test_sequence_of_the_standard() {
    let decisions =
        [0x0002_0051u32, 0x0000_00c0, 0x0352_872a, 0xaaaa_aaaa, 0x82c0_2000, 0xfcd7_9ef6, 0x74ea_abf7, 0x697e_e74c];
    let code = [
        0x65, 0x5b, 0x51, 0x44, 0xf7, 0x96, 0x9d, 0x51, 0x78, 0x55, 0xbf, 0xff, 0x00, 0xfc, 0x51, 0x84, 0xc7, 0xce,
        0xf9, 0x39, 0x00, 0x28, 0x7d, 0x46, 0x70, 0x8e, 0xcb, 0xc0, 0xf6, 0xff, 0xd9,
    ];
    let mut reader = ArithmeticReader::new(&code, 0);
    let mut bin = 0;
    for expected in decisions {
        let found = (0..32).fold(0, |word, _| word << 1 | u32::from(reader.decode(&mut bin)));
        assert_eq!(found, expected);
    }
    assert_eq!(reader.find_end(), Marker { code: 0xd9, offset: code.len() - 2 });
    assert_eq!(reader.unread_bytes(code.len() - 2), 0);
}

/// A fixed sequence of bytes, with more of 0xff than is usual, each stuffed.
fn stuffed(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut out = Vec::new();
    while out.len() < len {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let byte = if state >> 28 == 0 { 0xff } else { (state >> 8) as u8 };
        out.push(byte);
        if byte == 0xff {
            out.push(0);
        }
    }
    out
}

#[test]
fn shifts_at_once_equal_the_flow_charts() {
    for seed in 0..200 {
        let data = stuffed(seed, 100);
        let (mut fast, mut slow) = (ArithmeticReader::new(&data, 0), FlowCharts::start(&data));
        let (mut fast_bins, mut slow_bins) = ([0; 16], [0; 16]);
        // All bits of the data, and far past its end.
        for i in 0..20_000usize {
            let bin = (i * i + i / 7) % 16;
            assert_eq!(fast.decode(&mut fast_bins[bin]), slow.decode(&mut slow_bins[bin]), "seed {seed}, decision {i}");
            assert_eq!(fast_bins[bin], slow_bins[bin]);
            fast.renormalise();
            assert_eq!((fast.interval, fast.code >> fast.ahead), (slow.a, slow.c >> 16));
        }
        assert_eq!(fast.find_end(), Marker { code: 0, offset: data.len() });
    }
}

#[test]
fn a_segment_may_be_empty() {
    // A marker at once, after fill bytes, and the end of the data: zeros.
    for data in [&[0xff, 0xd0, 0x12][..], &[0xff, 0xff, 0xd0], &[]] {
        let mut reader = ArithmeticReader::new(data, 0);
        let mut zeros = ArithmeticReader::new(&[0; 64], 0);
        let (mut bin, mut twin) = (0, 0);
        for _ in 0..300 {
            assert_eq!(reader.decode(&mut bin), zeros.decode(&mut twin));
        }
        assert!(!reader.is_exhausted());
        assert_eq!(reader.offset(), 0);
        let end = reader.find_end();
        assert_eq!(reader.unread_bytes(end.offset), 0);
    }
}

#[test]
fn restart_forgets() {
    let data = [0x12, 0x34, 0x56, 0xff, 0xd0, 0x65, 0x5b, 0x51, 0x44, 0xff, 0xd9];
    let mut reader = ArithmeticReader::new(&data, 0);
    reader.decode_even();
    assert_eq!(reader.unread_bytes(3), 1);
    reader.give_up();
    assert!(reader.is_exhausted());
    reader.restart(5);
    assert!(!reader.is_exhausted());
    let mut fresh = ArithmeticReader::new(&data[5..], 0);
    let (mut bin, mut twin) = (0, 0);
    for _ in 0..100 {
        assert_eq!(reader.decode(&mut bin), fresh.decode(&mut twin));
    }
    assert_eq!(reader.find_end(), Marker { code: 0xd9, offset: 9 });
}

/// What the decisions cannot mean ends the segment, and from then on blocks stay as they are.
#[test]
fn a_run_past_the_band_gives_the_segment_up() {
    use crate::entropy::{Band, Flaws};
    let data = stuffed(1, 1000);
    let band = Band { ss: 1, se: 3, al: 0 };
    // Bytes at random lead there soon, in a short band.
    let given_up = (0..100).find_map(|seed| {
        let (mut reader, mut flaws) = (ArithmeticReader::new(&data, seed), Flaws::default());
        let mut statistics = AcStatistics::new(5);
        for _ in 0..100 {
            blocks::decode_ac_first(&mut reader, &mut statistics, band, &mut [0; 64], &mut flaws);
        }
        assert_eq!(reader.is_exhausted(), flaws.any());
        flaws.run_past_end.then_some((reader, statistics))
    });
    let (mut reader, mut statistics) = given_up.unwrap();
    let mut flaws = Flaws::default();
    let mut untouched = [7; 64];
    let mut dc = DcStatistics::new(crate::markers::DcBounds { lower: 0, upper: 1 });
    blocks::decode_dc_first(&mut reader, &mut dc, 0, &mut DcPrediction::default(), &mut untouched, &mut flaws);
    blocks::decode_ac_first(&mut reader, &mut statistics, band, &mut untouched, &mut flaws);
    blocks::decode_ac_refine(&mut reader, &mut statistics, band, &mut untouched, &mut flaws);
    assert_eq!(untouched, [7; 64]);
    assert!(!flaws.any());
}

/// Bytes at random make DC differences of every category, 15 bits and too many included; none of them panics.
#[test]
fn every_magnitude_has_its_bins() {
    use crate::markers::DcBounds;
    let (mut largest, mut too_large) = (0, 0);
    for seed in 0..3000 {
        let data = stuffed(seed, 60);
        let mut reader = ArithmeticReader::new(&data, 0);
        let mut dc = DcStatistics::new(DcBounds { lower: 0, upper: 1 });
        let mut ac = AcStatistics::new(5);
        for k in 1..=63 {
            let mut prediction = DcPrediction::default();
            match dc.decode_difference(&mut reader, &mut prediction).and(ac.decode_value(&mut reader, k)) {
                Some(value) => largest = largest.max(value.abs()).max(prediction.value.abs()),
                None => too_large += 1,
            }
        }
    }
    assert!((1 << 14..=1 << 15).contains(&largest), "{largest}");
    assert!(too_large > 0);
}
