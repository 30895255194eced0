//! The clock: CPU time of the process where the system tells it, else the time of day.
//!
//! The process and not the thread: some decoders (`jpeg-decoder`) leave part of their work to a thread of their own, which
//! would go uncounted. Nothing else of this process works while a row is measured.

use std::time::Duration;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// CPU time of all threads of the process: what other processes do does not count.
    ProcessCpu,
    /// Time of day.
    Wall,
}

impl Clock {
    /// The better one that this system has.
    pub fn best() -> Clock {
        if cfg!(target_os = "linux") { Clock::ProcessCpu } else { Clock::Wall }
    }

    /// For reports.
    pub fn name(self) -> &'static str {
        match self {
            Clock::ProcessCpu => "CPU time",
            Clock::Wall => "wall-clock time",
        }
    }

    /// Time since some moment in the past, the same one for each call.
    pub fn now(self) -> Duration {
        #[cfg(target_os = "linux")]
        if self == Clock::ProcessCpu {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
            // Both parts are never negative: the clock starts at zero.
            return Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32);
        }
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_with_the_work() {
        for clock in [Clock::best(), Clock::Wall] {
            let (start, begun) = (clock.now(), std::time::Instant::now());
            let mut sum = 0u64;
            while clock.now() - start < Duration::from_millis(1) {
                sum = std::hint::black_box(sum + 1);
                assert!(begun.elapsed() < Duration::from_secs(60), "{clock:?} stands still");
            }
            assert!(clock.now() >= start);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_work_of_other_threads_counts() {
        let start = Clock::ProcessCpu.now();
        let spin = || {
            let start = std::time::Instant::now();
            while start.elapsed() < Duration::from_millis(50) {}
            let here = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            Duration::new(here.tv_sec.unsigned_abs(), here.tv_nsec.unsigned_abs() as u32)
        };
        let there = std::thread::spawn(spin).join().expect("it does not panic");
        assert!(Clock::ProcessCpu.now() - start >= there);
    }
}
