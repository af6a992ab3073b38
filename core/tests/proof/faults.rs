//! Lets every operation of a workload fail once: the error has its code, nothing that was acknowledged is lost,
//! and the operation works when it is repeated, on the same handle or on a new one.
//!
//! Replayed like the crashes.

use std::sync::Arc;

use armillaria::store::{Fault, FaultyStore, PowerLoss};
use armillaria::{At, Code, Error};

use crate::crash::{for_each_operation, operations, seeds};
use crate::script::{Op, Thought, Twins};
use crate::support::{World, assert_whole};
use crate::{sweep, workload};

/// How many steps are done after a fault before all is looked at.
const STEPS_AFTER: usize = 4;

fn fail_at(seed: u64, ops: &[Op], operation: u64, fault: Fault) {
    let store = FaultyStore::new(seed);
    store.inject(operation, fault);
    let world = World::new(seed);
    let (twins, current) = open_despite(&world, &store);
    let mut run = Run { twins, operation, fault, store, current };
    let mut left = STEPS_AFTER;
    for op in ops {
        if let Err((error, perhaps)) = run.twins.step(op) {
            run.check_error(&error);
            run.recover(op, perhaps, &error);
        }
        left -= usize::from(run.has_failed());
        if left == 0 {
            break;
        }
    }
    run.check();
}

/// Opening may be what fails; another process then succeeds.
fn open_despite(world: &World, store: &FaultyStore) -> (Twins, FaultyStore) {
    let open = |store: FaultyStore| Ok((Twins::open(world.clone(), Arc::new(store.clone()))?, store));
    open(store.clone()).or_else(|_: Error| open(store.kill())).unwrap()
}

struct Run {
    twins: Twins,
    operation: u64,
    fault: Fault,
    /// The store in which something fails.
    store: FaultyStore,
    /// The one in use: after a sync that failed, what another process sees.
    current: FaultyStore,
}

impl Run {
    fn has_failed(&self) -> bool {
        self.store.operations() > self.operation
    }

    /// What failed: its line of the trace.
    fn line(&self) -> String {
        self.store.trace()[self.operation as usize].clone()
    }

    fn check_error(&self, error: &Error) {
        let line = self.line();
        match error.code() {
            Code::OutOfSpace => assert_eq!(self.fault, Fault::OutOfSpace, "{line}: {error}"),
            Code::Io => {}
            other => panic!("{line}: {other}: {error}"),
        }
        if line.contains(" sync file log/0") {
            assert!(matches!(error, Error::OutcomeUnknown { .. }), "{line}: {error}");
        }
    }

    /// After a sync that failed the handle refuses to write and still reads; a new one says what became of it. After
    /// any other failure the same handle goes on, unless it says that it does not know the outcome.
    fn recover(&mut self, op: &Op, perhaps: Thought, error: &Error) {
        let line = self.line();
        let is_unknown = matches!(error, Error::OutcomeUnknown { .. });
        let twins = &mut self.twins;
        let before = twins.thought.model.latest();
        if !is_unknown && !line.contains(" sync") {
            assert_eq!(twins.db.latest_tx_id().unwrap(), before, "{line}: {op:?} failed and happened");
            return self.repeat(op);
        }
        if line.contains(" sync file") || is_unknown {
            let refused = twins.db.create_tag("refused", &At::head()).unwrap_err();
            assert!(matches!(refused, Error::OutcomeUnknown { .. }), "{line}: the handle writes on: {refused}");
        } else {
            // Nothing was appended, and nothing that needs the object can be: commits without objects may go on.
            let (refused, _) = twins.step(op).expect_err("an object was taken for durable");
            assert!(matches!(refused, Error::OutcomeUnknown { .. }), "{line}: {refused}");
        }
        twins.db.list_tables(&At::head()).unwrap();
        twins.db.close();
        self.current = self.current.kill();
        twins.store = Arc::new(self.current.clone());
        twins.db = twins.world.open(twins.store.clone()).unwrap();
        let latest = twins.db.latest_tx_id().unwrap();
        let happened = latest == perhaps.model.latest();
        assert!(happened || latest == before, "transaction {latest} is the last, {before} was acknowledged");
        let model = if happened { perhaps.model } else { twins.thought.model.clone() };
        twins.forget_open(model);
        if !happened {
            self.repeat(op);
        }
    }

    /// A transaction that failed to commit has ended; only operations of their own are repeated.
    fn repeat(&mut self, op: &Op) {
        match op {
            Op::TxCommit { slot } => self.twins.forget_slot(*slot),
            Op::Begin { .. } | Op::TxRead { .. } => {}
            _ => self.twins.step(op).unwrap_or_else(|(error, _)| panic!("{op:?} fails again: {error}")),
        }
    }

    /// All is there, also after the power is lost: a sync that failed once was not taken for done.
    fn check(&self) {
        sweep::check_heads(&self.twins.db, &self.twins.thought.model);
        assert_whole(&self.twins.db);
        let db = self.twins.world.open(Arc::new(self.current.crash_with(PowerLoss::Everything))).unwrap();
        sweep::check_state(&db, &self.twins.thought.model);
        assert_whole(&db);
    }
}

fn fail_everywhere(test: &str, fault: Fault, only: fn(&str) -> bool) {
    let ops = workload::everything();
    for seed in seeds() {
        let trace = trace(seed, &ops);
        for_each_operation(test, seed, 0..operations(seed, &ops), |operation| {
            if only(&trace[operation as usize]) {
                fail_at(seed, &ops, operation, fault);
            }
        });
    }
}

fn trace(seed: u64, ops: &[Op]) -> Vec<String> {
    let store = FaultyStore::new(seed);
    let (mut twins, _) = open_despite(&World::new(seed), &store);
    ops.iter().for_each(|op| twins.step(op).map_err(|(error, _)| error).unwrap());
    store.trace()
}

#[test]
fn every_operation_may_fail() {
    fail_everywhere("faults::every_operation_may_fail", Fault::Fail, |_| true);
}

#[test]
fn the_disk_may_be_full_at_every_operation() {
    fail_everywhere("faults::the_disk_may_be_full_at_every_operation", Fault::OutOfSpace, |_| true);
}

#[test]
fn a_create_that_succeeded_may_say_already_there() {
    let creates = |line: &str| line.contains(" create ");
    fail_everywhere("faults::a_create_that_succeeded_may_say_already_there", Fault::AlreadyThere, creates);
}
