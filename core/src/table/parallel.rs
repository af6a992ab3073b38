//! Work on many things by several threads. Pure.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Result;

/// Does work on each item, on up to `threads` threads, the caller's among them; with one, in order. Answers what came of
/// each, in order. After an error no further items are begun.
pub fn in_parallel<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    let run = || loop {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(item) = items.get(place) else { return };
        let outcome = work(item);
        if outcome.is_err() {
            next.store(items.len(), Ordering::Relaxed);
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).push((place, outcome));
    };
    std::thread::scope(|scope| {
        (1..threads.min(items.len())).for_each(|_| drop(scope.spawn(run)));
        run();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::error::Error;

    #[test]
    fn what_came_of_items_stands_in_their_order() {
        let items: Vec<u64> = (0..1000).collect();
        for threads in [0, 1, 4] {
            let doubled = in_parallel(threads, &items, |item| Ok(2 * item)).unwrap();
            assert_eq!(doubled, (0..1000).map(|item| 2 * item).collect::<Vec<_>>());
        }
        assert!(in_parallel(4, &[], |item: &u64| Ok(*item)).unwrap().is_empty());
        let meeting = Barrier::new(3);
        let meet = |_: &i32| {
            meeting.wait();
            Ok(())
        };
        in_parallel(3, &[1, 2, 3], meet).unwrap();
    }

    #[test]
    fn nothing_is_begun_after_an_error() {
        let items: Vec<usize> = (0..1000).collect();
        let begun = AtomicUsize::new(0);
        let failed = in_parallel(1, &items, |item| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *item == 7 { Err(Error::internal("the seventh")) } else { Ok(()) }
        });
        assert!(failed.unwrap_err().to_string().contains("the seventh"));
        assert_eq!(begun.into_inner(), 8);
    }
}
