//! What the processor can do: one detector for all kernels.
//!
//! What enters: the processor, and `JPEGDCT_CPU` in the environment. What leaves: a [`Cpu`], whose existence proves that
//! its instructions are there, and `Cpu::run`, which compiles a kernel once for each [`Level`] and calls the right one.
//! A kernel is safe code that the compiler vectorises as its level allows; what the compiler does not find is in
//! `lanes` (arithmetic on 16 numbers), `masks` (64 numbers and a bit for each), `shuffle` (transposes) and the assembly of the
//! entropy decoder, the only files with unsafe code beside these calls. With the crate feature `safe` there is no unsafe
//! code and every level is `portable`.
//!
//! Levels are those of the x86-64 psABI, with the AVX-512 extensions of Ice Lake and Zen 4 in the last. On other
//! architectures `portable` is whatever the compilation target has, NEON on aarch64.

mod buffer;
mod lanes;
pub(crate) mod masks;
pub(crate) mod shuffle;

use std::sync::OnceLock;

pub(crate) use buffer::{Aligned, Buffer};
use lanes::Portable;
pub(crate) use lanes::{LANES, Simd};
#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
use lanes::{V3, V4};

/// A set of instructions. A later one includes the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// What the compilation target has, SSE2 on x86-64.
    Portable,
    /// x86-64-v3: AVX2, FMA, BMI1, BMI2, LZCNT, MOVBE, POPCNT, F16C.
    V3,
    /// x86-64-v4 with VBMI and VBMI2: AVX-512 F, BW, CD, DQ, VL too.
    V4,
}

impl Level {
    /// Name as in `JPEGDCT_CPU`: `portable`, `v3`, `v4`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Portable => "portable",
            Level::V3 => "v3",
            Level::V4 => "v4",
        }
    }

    fn from_name(name: &str) -> Option<Level> {
        [Level::Portable, Level::V3, Level::V4].into_iter().find(|level| level.name() == name)
    }
}

/// A level that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    /// Private: only what was detected gets in.
    level: Level,
}

impl Default for Cpu {
    /// As [`Cpu::detect`].
    fn default() -> Cpu {
        Cpu::detect()
    }
}

impl Cpu {
    /// The highest level there is, found once in a process. `JPEGDCT_CPU=portable|v3|v4` in the environment lowers it;
    /// another value has no effect.
    pub fn detect() -> Cpu {
        static DETECTED: OnceLock<Cpu> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            let wanted = std::env::var("JPEGDCT_CPU").ok().and_then(|name| Level::from_name(&name));
            Cpu { level: processor().min(wanted.unwrap_or(Level::V4)) }
        })
    }

    /// The highest level there is up to `level`, whatever the environment says.
    pub fn at_most(level: Level) -> Cpu {
        Cpu { level: processor().min(level) }
    }

    /// The level.
    pub fn level(self) -> Level {
        self.level
    }

    /// Runs a kernel, compiled for this level.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.level {
            Level::Portable => kernel.run(Portable),
            #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
            // SAFETY: a `Cpu` of this level is made only where `processor` found all of its features.
            Level::V3 => unsafe { run_v3(kernel) },
            #[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
            // SAFETY: as above.
            Level::V4 => unsafe { run_v4(kernel) },
            #[cfg(not(all(target_arch = "x86_64", not(feature = "safe"))))]
            _ => kernel.run(Portable),
        }
    }
}

/// Work that is compiled once for each level.
pub(crate) trait Kernel {
    /// What it gives.
    type Output;

    /// Does the work. Implement it `#[inline(always)]`, and so every function it calls in a loop: only what is inlined
    /// is compiled for the level.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// The level of the processor itself.
#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
fn processor() -> Level {
    macro_rules! has {
        ($($feature:tt)*) => { $(is_x86_feature_detected!($feature))&&* };
    }
    let v3 = has!("avx2" "fma" "bmi1" "bmi2" "lzcnt" "movbe" "popcnt" "f16c");
    let v4 = v3 && has!("avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl" "avx512vbmi" "avx512vbmi2");
    match (v3, v4) {
        (_, true) => Level::V4,
        (true, _) => Level::V3,
        _ => Level::Portable,
    }
}

#[cfg(not(all(target_arch = "x86_64", not(feature = "safe"))))]
fn processor() -> Level {
    Level::Portable
}

/// The features of [`Level::V3`].
#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,movbe,popcnt,f16c")]
fn run_v3<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has the features.
    kernel.run(unsafe { V3::new() })
}

/// The features of [`Level::V4`].
#[cfg(all(target_arch = "x86_64", not(feature = "safe")))]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,movbe,popcnt,f16c")]
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")]
fn run_v4<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has the features.
    kernel.run(unsafe { V4::new() })
}

/// One of each level this processor has, for tests that hold them equal.
#[cfg(test)]
pub(crate) fn all() -> Vec<Cpu> {
    let mut all = [Level::Portable, Level::V3, Level::V4].map(Cpu::at_most).to_vec();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ask;

    impl Kernel for Ask {
        type Output = (bool, bool);

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            (simd.v3().is_some(), simd.v4().is_some())
        }
    }

    #[test]
    fn kernels_run_at_the_level_asked_for() {
        for cpu in all() {
            let expected = (cpu.level() >= Level::V3, cpu.level() >= Level::V4);
            assert_eq!(cpu.run(Ask), expected);
        }
        assert_eq!(Cpu::at_most(Level::Portable).level(), Level::Portable);
        assert!(Cpu::detect().level() <= processor());
    }

    #[test]
    fn names_are_read_back() {
        for level in [Level::Portable, Level::V3, Level::V4] {
            assert_eq!(Level::from_name(level.name()), Some(level));
        }
        assert_eq!(Level::from_name("V4"), None);
    }
}
