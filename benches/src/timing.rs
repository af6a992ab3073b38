//! Rounds in which the sides take turns, and what counts of them.

use std::time::Duration;

use crate::Result;

/// One side of a comparison: does its work and says how long that took, without what it had to prepare.
pub(crate) type Side<'a> = &'a mut dyn FnMut() -> Result<Duration>;

/// How long one side took in each round.
#[derive(Clone, Debug)]
pub(crate) struct Samples(Vec<Duration>);

/// Lets the sides take turns; another one begins each round, so that none always comes after the same other.
pub(crate) fn in_turn<const SIDES: usize>(rounds: usize, sides: [Side<'_>; SIDES]) -> Result<[Samples; SIDES]> {
    let mut samples = [const { Samples(Vec::new()) }; SIDES];
    for round in 0..rounds {
        for turn in 0..SIDES {
            let side = (round + turn) % SIDES;
            let took = sides[side]()?;
            samples[side].0.push(took);
        }
    }
    Ok(samples)
}

/// Rounds that were run one by one, as if they had been run together.
pub(crate) fn together<const SIDES: usize>(rounds: Vec<[Samples; SIDES]>) -> [Samples; SIDES] {
    let mut all = [const { Samples(Vec::new()) }; SIDES];
    for round in rounds {
        all.iter_mut().zip(round).for_each(|(all, samples)| all.0.extend(samples.0));
    }
    all
}

/// Two steps of the same rounds as one.
pub(crate) fn summed<const SIDES: usize>(first: &[Samples; SIDES], then: &[Samples; SIDES]) -> [Samples; SIDES] {
    std::array::from_fn(|side| {
        let steps = first[side].0.iter().zip(&then[side].0);
        Samples(steps.map(|(first, then)| *first + *then).collect())
    })
}

impl Samples {
    /// The best round, in seconds: for work of the processor, which noise can only slow down.
    pub(crate) fn best(&self) -> f64 {
        self.0.iter().min().map_or(f64::NAN, Duration::as_secs_f64)
    }

    /// The middle round, in seconds: for work of the disk, whose best is luck.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).map_or(f64::NAN, Duration::as_secs_f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_take_turns_and_the_middle_counts() {
        let order = std::cell::RefCell::new(String::new());
        let mut a = || {
            order.borrow_mut().push('a');
            Ok(Duration::from_secs(order.borrow().len() as u64))
        };
        let mut b = || {
            order.borrow_mut().push('b');
            Ok(Duration::from_secs(1))
        };
        let [a, b] = in_turn(3, [&mut a, &mut b]).unwrap();
        assert_eq!(*order.borrow(), "abbaab");
        assert_eq!((a.best(), a.median(), b.median()), (1.0, 4.0, 1.0));
        let [both] = summed(&[a], &[b]);
        assert_eq!((both.best(), both.median()), (2.0, 5.0));
    }
}
