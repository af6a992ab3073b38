//! Every decoder on mangled bytes: the targets of `fuzz/`, driven by a plain mutator instead of libFuzzer.
//!
//! `ARMILLARIA_PROOF_MUTATIONS` asks for so many a seed; `ARMILLARIA_PROOF_SEED` for other ones.

use std::panic::catch_unwind;

use armillaria::store::SeededRandomness;

use crate::support::from_env;

#[expect(unreachable_pub, reason = "it is a library of its own in its own folder")]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

const MUTATIONS: u64 = 40;

/// Numbers at which decoders err.
const CORNERS: [u8; 8] = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x1b, 0x5f, 0x9f];

fn mutate(bytes: &mut Vec<u8>, dice: &SeededRandomness) {
    for _ in 0..=dice.below(4) {
        let length = bytes.len() as u64;
        let at = dice.below(length) as usize;
        match dice.below(8) {
            0 if length > 0 => bytes[at] ^= 1 << dice.below(8),
            1 if length > 0 => bytes[at] = dice.next_u64() as u8,
            2 if length > 0 => bytes[at] = CORNERS[dice.below(8) as usize],
            3 => bytes.truncate(at),
            4 => bytes.insert(at, dice.next_u64() as u8),
            5 if length > 0 => drop(bytes.remove(at)),
            6 => {
                let end = at + dice.below(length - at as u64) as usize;
                let copied = bytes[at..end].to_vec();
                let to = dice.below(bytes.len() as u64 + 1) as usize;
                bytes.splice(to..to, copied);
            }
            _ => {
                let end = (at + 8).min(bytes.len());
                let corner = CORNERS[dice.below(8) as usize];
                bytes[at..end].fill(corner);
            }
        }
    }
}

fn drive(target: &targets::Target) {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has nothing to begin with", target.name);
    let seed = from_env("ARMILLARIA_PROOF_SEED").unwrap_or(1);
    for (number, whole) in seeds.iter().enumerate() {
        (target.run)(whole);
        for mutation in 0..from_env("ARMILLARIA_PROOF_MUTATIONS").unwrap_or(MUTATIONS) {
            let dice = SeededRandomness::new(seed ^ (number as u64) << 32 ^ mutation << 40);
            let mut bytes = whole.clone();
            mutate(&mut bytes, &dice);
            if catch_unwind(|| (target.run)(&bytes)).is_err() {
                let shown: String = bytes.iter().take(400).map(|byte| format!("{byte:02x}")).collect();
                panic!("{} fails on mutation {mutation} of seed {number}: {shown}", target.name);
            }
        }
    }
}

macro_rules! decoders {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            drive(targets::TARGETS.iter().find(|target| target.name == stringify!($name)).unwrap());
        })*

        #[test]
        fn every_target_is_driven() {
            let names: Vec<_> = targets::TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

decoders! {
    record transactions manifest_node table_schema identity names checkpoint index_file inline_batch log_file script
}
