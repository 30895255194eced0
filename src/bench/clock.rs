//! The clock: CPU time of the calling thread where the system tells it, else the time of day.

use std::time::Duration;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// CPU time of the thread: what other processes do does not count.
    ThreadCpu,
    /// Time of day.
    Wall,
}

impl Clock {
    /// The better one that this system has.
    pub fn best() -> Clock {
        if cfg!(target_os = "linux") { Clock::ThreadCpu } else { Clock::Wall }
    }

    /// For reports.
    pub fn name(self) -> &'static str {
        match self {
            Clock::ThreadCpu => "thread CPU time",
            Clock::Wall => "wall-clock time",
        }
    }

    /// Time since some moment in the past, the same one for each call in a thread.
    pub fn now(self) -> Duration {
        #[cfg(target_os = "linux")]
        if self == Clock::ThreadCpu {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            // Both parts are never negative: a thread's clock starts at zero.
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
    fn it_runs_with_the_work_of_the_thread() {
        for clock in [Clock::best(), Clock::Wall] {
            let start = clock.now();
            let mut sum = 0u64;
            while clock.now() - start < Duration::from_millis(1) {
                sum = std::hint::black_box(sum + 1);
            }
            assert!(sum > 0, "{clock:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn sleep_is_no_work() {
        let start = Clock::ThreadCpu.now();
        std::thread::sleep(Duration::from_millis(200));
        assert!(Clock::ThreadCpu.now() - start < Duration::from_millis(100));
    }
}
