//! Work on many threads, results in order, bounded memory.
//!
//! What enters: an iterator of jobs and a function for one job. What leaves: the results, delivered on the calling
//! thread in the order of the jobs. At most a [`Window`] of jobs is between the two, so one slow job holds up the
//! others before finished results fill the memory. A job that panics is a result like any other.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

/// How far results may run ahead of the slowest job.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Jobs started and not delivered.
    pub jobs: usize,
    /// Weight of the results that wait for an earlier one, and of what jobs under way were handed over with. Beyond it no
    /// job is started; those under way, two a thread at most, may add their results.
    pub weight: u64,
}

impl Window {
    /// Eight jobs a thread, and a GiB of waiting results and of files read ahead.
    pub fn for_threads(threads: usize) -> Window {
        Window { jobs: 8 * threads, weight: 1 << 30 }
    }
}

/// A job that panicked, with what the panic said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked(pub String);

/// `threads`, or as many as the machine runs at once.
pub fn threads_or_all(threads: Option<usize>) -> usize {
    threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
}

/// How many of `threads` may work on one job when so many are `left`, itself among them: all, once some of them would have
/// nothing to do.
pub(super) fn threads_for_one(threads: usize, left: usize) -> usize {
    if left < threads { threads } else { 1 }
}

/// Runs `work` on every job with `threads` threads of its own and hands the results to `deliver` in order.
///
/// Each thread has a state from `state`, which is thrown away if a job panics in it. The two functions before `deliver` say
/// how much of [`Window::weight`] a job takes until it is done, and how much a result does. When `deliver` breaks, no
/// further job is started or delivered; jobs that run already are waited for and their results dropped.
///
/// # Errors
/// Threads that cannot be started.
pub fn run_ordered<S: Send, J: Send, T: Send>(
    threads: usize,
    window: Window,
    jobs: impl IntoIterator<Item = J>,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, J) -> T + Sync,
    (held, weigh): (impl Fn(&J) -> u64, impl Fn(&T) -> u64),
    mut deliver: impl FnMut(Result<T, Panicked>) -> ControlFlow<()>,
) -> io::Result<()> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("jpegdct-{n}"))
        .build()
        .map_err(io::Error::other)?;
    let states: Mutex<Vec<S>> = Mutex::new(Vec::new());
    let stopped = AtomicBool::new(false);
    let one = |job: J| {
        let free = states.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let run = || {
            let mut state = free.unwrap_or_else(&state);
            let result = work(&mut state, job);
            (result, state)
        };
        catch_unwind(AssertUnwindSafe(run)).map_err(|panic| Panicked(text_of(&*panic))).map(|(result, state)| {
            states.lock().unwrap_or_else(PoisonError::into_inner).push(state);
            result
        })
    };

    let (sender, receiver) = mpsc::channel();
    let mut jobs = jobs.into_iter();
    // On this thread, beside the pool: starts jobs, waits for results, delivers those whose turn it is.
    pool.in_place_scope(|scope| {
        let (mut started, mut under_way, mut delivered, mut weight) = (0usize, 0usize, 0usize, 0u64);
        let mut waiting: BTreeMap<usize, (Result<T, Panicked>, u64)> = BTreeMap::new();
        loop {
            while started - delivered < window.jobs.max(1) && under_way < 2 * threads && weight <= window.weight {
                let Some(job) = jobs.next() else { break };
                let (number, sender, one, stopped) = (started, sender.clone(), &one, &stopped);
                let job_weight = held(&job);
                weight += job_weight;
                scope.spawn(move |_| {
                    if !stopped.load(Ordering::Relaxed) {
                        // The receiver outlives the scope.
                        let _ = sender.send((number, job_weight, one(job)));
                    }
                });
                started += 1;
                under_way += 1;
            }
            if delivered == started {
                return;
            }
            // A result always comes: the job whose turn it is has been started, and panics are results.
            let Ok((number, job_weight, result)) = receiver.recv() else { return };
            under_way -= 1;
            let result_weight = result.as_ref().map_or(0, &weigh);
            weight = weight - job_weight + result_weight;
            waiting.insert(number, (result, result_weight));
            while let Some((result, result_weight)) = waiting.remove(&delivered) {
                delivered += 1;
                weight -= result_weight;
                if deliver(result).is_break() {
                    stopped.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    });
    Ok(())
}

/// What a panic said.
pub(crate) fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    const WIDE: Window = Window { jobs: 16, weight: u64::MAX };

    fn run(
        threads: usize,
        window: Window,
        count: usize,
        work: impl Fn(usize) -> usize + Sync,
    ) -> Vec<Result<usize, Panicked>> {
        let mut results = Vec::new();
        let deliver = |result| {
            results.push(result);
            ControlFlow::Continue(())
        };
        run_ordered(threads, window, 0..count, || (), |(), job| work(job), (|_| 0, |_| 1), deliver).unwrap();
        results
    }

    #[test]
    fn results_come_in_order() {
        let slow_at_first = |job: usize| {
            std::thread::sleep(std::time::Duration::from_micros(if job.is_multiple_of(7) { 500 } else { 0 }));
            job
        };
        for threads in [1, 4] {
            let results = run(threads, WIDE, 100, slow_at_first);
            assert_eq!(results, (0..100).map(Ok).collect::<Vec<_>>());
        }
        assert!(run(2, WIDE, 0, slow_at_first).is_empty());
    }

    #[test]
    fn a_panic_is_one_result_and_not_the_end() {
        let results = run(2, WIDE, 20, |job| if job == 7 { panic!("seven") } else { job });
        assert_eq!(results[7], Err(Panicked("seven".into())));
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 19);
    }

    #[test]
    fn breaking_stops() {
        let ran = AtomicUsize::new(0);
        let mut delivered = 0;
        let work = |(): &mut (), _job: usize| ran.fetch_add(1, Ordering::Relaxed);
        let deliver = |_| {
            delivered += 1;
            if delivered == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        run_ordered(2, Window { jobs: 4, weight: 100 }, 0..1000, || (), work, (|_| 0, |_| 0), deliver).unwrap();
        assert_eq!(delivered, 5);
        assert!(ran.into_inner() <= 5 + 4);
    }

    /// While the first job sleeps the others may not run ahead further than the window.
    #[test]
    fn the_window_bounds_what_is_under_way() {
        for (window, bound) in [(Window { jobs: 6, weight: 1000 }, 6), (Window { jobs: 100, weight: 3 }, 3 + 1 + 8)] {
            let (ran, first_done) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
            run(4, window, 200, |job| {
                if job == 0 {
                    std::thread::sleep(std::time::Duration::from_millis(50));
                    first_done.store(ran.load(Ordering::SeqCst), Ordering::SeqCst);
                }
                ran.fetch_add(1, Ordering::SeqCst);
                job
            });
            assert_eq!(ran.into_inner(), 200);
            let ahead = first_done.into_inner();
            assert!(ahead <= bound, "{ahead} jobs ran ahead of the first, at most {bound} may");
        }
    }

    /// What jobs hold before they are done is bounded too: here each holds 10, and 25 is much.
    #[test]
    fn jobs_that_hold_much_are_not_started_ahead() {
        let (alive, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let jobs = (0..100).inspect(|_| {
            most.fetch_max(alive.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        });
        let work = |(): &mut (), _: usize| {
            std::thread::sleep(std::time::Duration::from_micros(200));
            alive.fetch_sub(1, Ordering::SeqCst)
        };
        let window = Window { jobs: 32, weight: 25 };
        run_ordered(4, window, jobs, || (), work, (|_| 10, |_| 0), |_| ControlFlow::Continue(())).unwrap();
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?} jobs at once");
    }

    #[test]
    fn states_are_reused_but_not_after_a_panic() {
        let made = AtomicUsize::new(0);
        let state = || made.fetch_add(1, Ordering::SeqCst);
        let work = |_: &mut usize, job: usize| assert_ne!(job, 5);
        run_ordered(1, WIDE, 0..50, state, work, (|_| 0, |()| 0), |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(made.into_inner(), 2);
    }
}
