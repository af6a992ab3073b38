//! Time and chance, passed in so that a test decides both.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

/// Tells the time and waits.
pub trait Clock: Debug + Send + Sync {
    /// Microseconds since 1970-01-01 UTC; may jump when somebody sets the clock.
    fn now_us(&self) -> i64;

    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;

    /// Waits that long.
    fn sleep(&self, duration: Duration);
}

/// Makes bytes that nobody can guess, or, in a test, that everybody can.
pub trait Randomness: Debug + Send + Sync {
    /// Fills the buffer; `IO` if the operating system has no randomness.
    fn fill(&self, buffer: &mut [u8]) -> Result<()>;
}

/// The clock and the randomness that a database runs with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes nonces and identifiers.
    pub randomness: Arc<dyn Randomness>,
}

impl Environment {
    /// The operating system's clock and randomness.
    pub fn system() -> Environment {
        Environment { clock: Arc::new(SystemClock::new()), randomness: Arc::new(SystemRandomness) }
    }

    /// A clock that moves only when told, and randomness that is the same for the same seed.
    pub fn seeded(seed: u64) -> Environment {
        Environment {
            clock: Arc::new(ManualClock::new(1_700_000_000_000_000)),
            randomness: Arc::new(SeededRandomness::new(seed)),
        }
    }
}

impl Default for Environment {
    fn default() -> Environment {
        Environment::system()
    }
}

/// The operating system's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is passed")]
    pub fn new() -> SystemClock {
        SystemClock { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is passed")]
    fn now_us(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is passed")]
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A clock that stands still until it is moved; sleepers wait for that.
#[derive(Debug)]
pub struct ManualClock {
    start_us: i64,
    now_us: Mutex<i64>,
    moved: Condvar,
}

impl ManualClock {
    /// A clock that shows `now_us`.
    pub fn new(now_us: i64) -> ManualClock {
        ManualClock { start_us: now_us, now_us: Mutex::new(now_us), moved: Condvar::new() }
    }

    /// Moves the clock and wakes sleepers whose time has come.
    pub fn advance(&self, duration: Duration) {
        let mut now_us = self.lock();
        *now_us = now_us.saturating_add(micros(duration));
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, i64> {
        self.now_us.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        *self.lock()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.now_us() - self.start_us).unwrap_or(0))
    }

    fn sleep(&self, duration: Duration) {
        let mut now_us = self.lock();
        let until_us = now_us.saturating_add(micros(duration));
        while *now_us < until_us {
            now_us = self.moved.wait(now_us).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, buffer: &mut [u8]) -> Result<()> {
        getrandom::fill(buffer).map_err(|error| Error::io("get random bytes", "the operating system", error.into()))
    }
}

/// The same bytes for the same seed and the same order of calls.
#[derive(Debug)]
pub struct SeededRandomness {
    state: AtomicU64,
}

impl SeededRandomness {
    /// Randomness that depends on nothing but the seed.
    pub fn new(seed: u64) -> SeededRandomness {
        SeededRandomness { state: AtomicU64::new(seed) }
    }

    /// The next number (SplitMix64).
    pub fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if the bound is 0.
    pub fn below(&self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, buffer: &mut [u8]) -> Result<()> {
        for part in buffer.chunks_mut(8) {
            part.copy_from_slice(&self.next_u64().to_le_bytes()[..part.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let fill = |seed| {
            let mut bytes = [0; 20];
            SeededRandomness::new(seed).fill(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(fill(1), fill(1));
        assert_ne!(fill(1), fill(2));
        assert_eq!(SeededRandomness::new(0).next_u64(), 0xe220_a839_7b1d_cdaf, "SplitMix64's published first value");
    }

    #[test]
    fn system_randomness_differs_from_call_to_call() {
        let (mut first, mut second) = ([0; 16], [0; 16]);
        SystemRandomness.fill(&mut first).unwrap();
        SystemRandomness.fill(&mut second).unwrap();
        assert_ne!(first, second);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(10);
        assert_eq!((clock.now_us(), clock.monotonic()), (10, Duration::ZERO));
        clock.advance(Duration::from_micros(5));
        assert_eq!((clock.now_us(), clock.monotonic()), (15, Duration::from_micros(5)));
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| clock.sleep(Duration::from_secs(1)));
            while !sleeper.is_finished() {
                clock.advance(Duration::from_millis(100));
            }
        });
        assert!(clock.monotonic() >= Duration::from_secs(1));
    }

    #[test]
    fn the_system_clock_tells_a_plausible_time() {
        let clock = SystemClock::new();
        assert!(clock.now_us() > 1_600_000_000_000_000);
        clock.sleep(Duration::from_millis(1));
        assert!(clock.monotonic() >= Duration::from_millis(1));
    }
}
