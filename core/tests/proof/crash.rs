//! Stops a workload after every single operation of its store, takes the power away, and looks at what is left:
//! everything that was acknowledged, nothing by halves, and the next commit works.
//!
//! A failure prints the command that repeats just that run. `ARMILLARIA_PROOF_SEED` and `ARMILLARIA_PROOF_OPERATION`
//! choose seed and operation; `ARMILLARIA_PROOF_SEEDS` asks for so many seeds.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use armillaria::Error;
use armillaria::store::{Fault, FaultyStore, PowerLoss};

use crate::script::{Op, Thought, Twins};
use crate::support::{World, assert_whole, from_env};
use crate::{sweep, workload};

const SEED: u64 = 20_261_122;

/// How far a workload came.
struct Ended {
    world: World,
    /// What was acknowledged.
    acknowledged: Thought,
    /// What it would be if the operation that failed had happened.
    perhaps: Thought,
    error: Option<Error>,
}

fn run(store: &FaultyStore, seed: u64, ops: &[Op]) -> Ended {
    let world = World::new(seed);
    let nothing = Thought::new(crate::model::Model::new());
    let mut twins = match Twins::open(world.clone(), Arc::new(store.clone())) {
        Ok(twins) => twins,
        Err(error) => return Ended { world, acknowledged: nothing.clone(), perhaps: nothing, error: Some(error) },
    };
    for op in ops {
        if let Err((error, perhaps)) = twins.step(op) {
            return Ended { world, acknowledged: twins.thought, perhaps, error: Some(error) };
        }
    }
    Ended { world, acknowledged: twins.thought.clone(), perhaps: twins.thought, error: None }
}

/// How many operations a workload takes when nothing goes wrong.
pub(crate) fn operations(seed: u64, ops: &[Op]) -> u64 {
    let store = FaultyStore::new(seed);
    assert!(run(&store, seed, ops).error.is_none());
    store.operations()
}

fn crash_at(seed: u64, ops: &[Op], operation: u64) {
    let store = FaultyStore::new(seed);
    store.inject(operation, Fault::Stop);
    let ended = run(&store, seed, ops);
    if !store.is_stopped() {
        assert!(ended.error.is_none(), "it stopped by itself: {:?}", ended.error);
    }
    for loss in [PowerLoss::Nothing, PowerLoss::Everything, PowerLoss::Some] {
        check_survivor(&store.crash_with(loss), &ended);
    }
    check_survivor(&store.kill(), &ended);
}

/// Opens what a crash left and looks at everything; then commits, loses the power again, and looks again.
fn check_survivor(store: &FaultyStore, ended: &Ended) {
    let mut twins = Twins::open(ended.world.clone(), Arc::new(store.clone())).unwrap();
    twins.thought = survived(twins.db.latest_tx_id().unwrap(), ended);
    sweep::check_state(&twins.db, &twins.thought.model);
    assert_whole(&twins.db);
    twins.step(&workload::append("delta", 1)).map_err(|(error, _)| error).unwrap();
    twins.step(&workload::append("alpha", 9000)).map_err(|(error, _)| error).unwrap();
    let again: Arc<FaultyStore> = Arc::new(store.crash_with(PowerLoss::Everything));
    let db = ended.world.open(again).unwrap();
    sweep::check_heads(&db, &twins.thought.model);
    assert_whole(&db);
}

/// Whether the last operation happened or not: nothing else may be.
fn survived(latest: u64, ended: &Ended) -> Thought {
    let [without, with] = [&ended.acknowledged, &ended.perhaps].map(|thought| thought.model.latest());
    assert!(latest == without || latest == with, "transaction {latest} is the last; {without} was acknowledged");
    let thought = if latest == without { &ended.acknowledged } else { &ended.perhaps };
    Thought::new(thought.model.clone())
}

/// Does it for every number, on all cores, and prints how to repeat the first failure.
pub(crate) fn for_each_operation(test: &str, seed: u64, operations: Range<u64>, check: impl Fn(u64) + Sync) {
    if let Some(operation) = from_env("ARMILLARIA_PROOF_OPERATION") {
        return check(operation);
    }
    let next = AtomicU64::new(operations.start);
    let work = || {
        loop {
            let operation = next.fetch_add(1, Ordering::Relaxed);
            if operation >= operations.end {
                return;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(operation))) {
                let variables = format!("ARMILLARIA_PROOF_SEED={seed} ARMILLARIA_PROOF_OPERATION={operation}");
                println!("replay: {variables} cargo test -p armillaria --test proof {test} -- --exact --nocapture");
                next.store(operations.end, Ordering::Relaxed);
                resume_unwind(panic);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}

pub(crate) fn seeds() -> Range<u64> {
    let first = from_env("ARMILLARIA_PROOF_SEED").unwrap_or(SEED);
    first..first + from_env("ARMILLARIA_PROOF_SEEDS").unwrap_or(1)
}

#[test]
fn nothing_is_lost_wherever_it_stops() {
    let ops = workload::everything();
    for seed in seeds() {
        let count = operations(seed, &ops);
        assert!(count >= 300, "a workload of {count} operations");
        for_each_operation("crash::nothing_is_lost_wherever_it_stops", seed, 0..count + 1, |operation| {
            crash_at(seed, &ops, operation);
        });
    }
}

#[test]
fn nothing_is_lost_between_checkpoints_and_log_files() {
    let ops = workload::checkpoints();
    for seed in seeds() {
        let count = operations(seed, &ops);
        let test = "crash::nothing_is_lost_between_checkpoints_and_log_files";
        for_each_operation(test, seed, 0..count + 1, |operation| crash_at(seed, &ops, operation));
    }
}

#[test]
fn the_checkpoint_workload_writes_checkpoints_and_several_log_files() {
    let store = FaultyStore::new(SEED);
    assert!(run(&store, SEED, &workload::checkpoints()).error.is_none());
    let trace = store.trace();
    let count = |what: &str| trace.iter().filter(|line| line.contains(what)).count();
    assert!(count(" create snapshots/") >= 2, "{trace:#?}");
    assert!(count(" create index/") >= 2, "{trace:#?}");
    assert!(count(" allocate log/0") >= 2, "{trace:#?}");
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let trace = |seed| {
        let store = FaultyStore::new(seed);
        run(&store, seed, &workload::everything());
        store.trace()
    };
    assert_eq!(trace(1), trace(1));
    assert_eq!(trace(2).len(), trace(1).len(), "the seed decides no more than what is random");
}
