//! A store for tests that misbehaves as disks, kernels and power supplies do, on a seed's word.
//!
//! What is visible and what is on disk are kept apart. A power loss ([`FaultyStore::crash`]) keeps what was synced;
//! of the rest it keeps or drops every object, every deletion and every 512-byte sector of a write as the seed
//! decides. A process that dies ([`FaultyStore::kill`]) leaves everything visible, and durable nothing more.
//! When the sync of a file fails, what it was to make durable stays visible, but some of it will never reach the disk,
//! though later syncs succeed: so do kernels.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::memory::Room;
use super::{Clock, Created, Listed, MemoryStore, SeededRandomness, Store, StoreFile, SystemClock};
use crate::error::{Error, Result};

/// The unit in which a disk writes: a torn write keeps some sectors and loses others.
const SECTOR_BYTES: u64 = 512;

/// What goes wrong at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process stops before the operation: it and all later ones answer `IO` and do nothing.
    Stop,
    /// The operation answers `IO`. A write in place may have happened in part.
    Fail,
    /// The operation answers `OUT_OF_SPACE`. A write in place may have happened in part.
    OutOfSpace,
    /// A create that succeeds answers that the object was there already, as a retried request does.
    AlreadyThere,
    /// The operation waits first.
    Delay(Duration),
}

/// A store that misbehaves when told. Clones are the same store.
#[derive(Clone, Debug)]
pub struct FaultyStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    seed: u64,
    randomness: SeededRandomness,
    clock: Arc<dyn Clock>,
    /// What every handle sees.
    visible: MemoryStore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    operations: u64,
    reads: u64,
    faults: BTreeMap<u64, Fault>,
    stopped: bool,
    /// Why a sync of names failed.
    failed_sync: Option<String>,
    trace: Vec<String>,
    disk: BTreeMap<String, Stored>,
    /// Deletions that a power loss may undo.
    deleted: BTreeMap<String, Stored>,
    /// What was replaced, and is there again after a power loss that takes the replacement.
    replaced: BTreeMap<String, Stored>,
}

/// A path as the disk has it.
#[derive(Clone, Debug)]
struct Stored {
    content: Content,
    name_synced: bool,
    /// Writes that are visible and not on disk, in order.
    unsynced: Vec<Write>,
}

#[derive(Clone, Debug)]
enum Content {
    Object(Vec<u8>),
    File(Room),
}

#[derive(Clone, Debug)]
struct Write {
    offset: u64,
    bytes: Vec<u8>,
}

impl FaultyStore {
    /// An empty store that behaves until it is told otherwise.
    pub fn new(seed: u64) -> FaultyStore {
        FaultyStore::with_disk(seed, BTreeMap::new())
    }

    fn with_disk(seed: u64, disk: BTreeMap<String, Stored>) -> FaultyStore {
        let visible = MemoryStore::new();
        for (path, stored) in &disk {
            match &stored.content {
                Content::Object(bytes) => visible.put_object(path, bytes.clone()),
                Content::File(room) => visible.put_file(path, room.clone()),
            }
        }
        FaultyStore::with_state(seed, visible, State { disk, ..State::default() })
    }

    fn with_state(seed: u64, visible: MemoryStore, state: State) -> FaultyStore {
        let shared = Shared {
            seed,
            randomness: SeededRandomness::new(seed),
            clock: Arc::new(SystemClock::new()),
            visible,
            state: Mutex::new(state),
        };
        FaultyStore { shared: Arc::new(shared) }
    }

    /// Plans a fault for the operation of that number, counted from 0 over the store's life. Only operations that
    /// change something or sync it are counted: reads cannot fail but after a stop.
    pub fn inject(&self, operation: u64, fault: Fault) {
        self.state().faults.insert(operation, fault);
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// How often something was read, opened, measured or listed.
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    /// Whether a [`Fault::Stop`] came to pass.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// One line an operation: what was done to which path with how many bytes, and what went wrong.
    pub fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    /// The store as it is after a power loss now. Decided by the seed and the operations so far.
    pub fn crash(&self) -> FaultyStore {
        let dice = self.dice();
        let loss = PowerLoss::roll(&dice);
        self.lose_power(&dice, loss)
    }

    /// The same where the test decides how much is lost.
    pub fn crash_with(&self, loss: PowerLoss) -> FaultyStore {
        self.lose_power(&self.dice(), loss)
    }

    fn dice(&self) -> SeededRandomness {
        SeededRandomness::new(self.shared.seed ^ self.state().operations.rotate_left(32))
    }

    fn lose_power(&self, dice: &SeededRandomness, loss: PowerLoss) -> FaultyStore {
        let state = self.state();
        let mut disk: BTreeMap<String, Stored> = BTreeMap::new();
        for (path, stored) in &state.disk {
            if stored.name_synced || loss.keeps(dice) {
                disk.insert(path.clone(), stored.after_power_loss(dice, loss));
            }
        }
        for (path, stored) in &state.deleted {
            if !disk.contains_key(path) && !loss.keeps(dice) {
                disk.insert(path.clone(), stored.after_power_loss(dice, loss));
            }
        }
        for (path, stored) in &state.replaced {
            disk.entry(path.clone()).or_insert_with(|| stored.after_power_loss(dice, loss));
        }
        FaultyStore::with_disk(dice.next_u64(), disk)
    }

    /// The store as other processes see it after this one was killed now: everything visible stays so.
    pub fn kill(&self) -> FaultyStore {
        let state = self.state();
        let (disk, deleted, replaced) = (state.disk.clone(), state.deleted.clone(), state.replaced.clone());
        let next = State { disk, deleted, replaced, ..State::default() };
        FaultyStore::with_state(self.shared.seed.wrapping_add(1), self.shared.visible.copy(), next)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts and traces an operation and brings about what is planned for it.
    fn step(&self, action: &'static str, path: &str, bytes: u64) -> Result<Option<Fault>> {
        let mut state = self.state();
        self.check_running(&state, action, path)?;
        let fault = state.faults.get(&state.operations).copied();
        let number = state.operations;
        state.operations += 1;
        let told = fault.map(|fault| format!(" {fault:?}")).unwrap_or_default();
        state.trace.push(format!("{number} {action} {path} {bytes}{told}"));
        if fault == Some(Fault::Stop) {
            state.stopped = true;
            self.check_running(&state, action, path)?;
        }
        drop(state);
        if let Some(Fault::Delay(duration)) = fault {
            self.clock.sleep(duration);
        }
        Ok(fault)
    }

    fn check_running(&self, state: &State, action: &'static str, path: &str) -> Result<()> {
        match state.stopped {
            true => Err(Error::io(action, path, io::Error::other("the process was stopped here"))),
            false => Ok(()),
        }
    }

    fn check_read(&self, path: &str) -> Result<()> {
        let mut state = self.state();
        state.reads += 1;
        self.check_running(&state, "read", path)
    }

    /// For operations that either happen or fail.
    fn step_or_fail(&self, action: &'static str, path: &str, bytes: u64) -> Result<Option<Fault>> {
        let fault = self.step(action, path, bytes)?;
        failure(fault, action, path).map_or(Ok(fault), Err)
    }
}

fn failure(fault: Option<Fault>, action: &'static str, path: &str) -> Option<Error> {
    match fault {
        Some(Fault::Fail) => Some(Error::io(action, path, io::Error::other("injected"))),
        Some(Fault::OutOfSpace) => Some(Error::io(action, path, ErrorKind::StorageFull.into())),
        _ => None,
    }
}

/// How much of what was not synced a power loss takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerLoss {
    /// All of it was on disk already.
    Nothing,
    /// All of it is gone.
    Everything,
    /// The seed decides for every object, every deletion and every sector of a write.
    Some,
}

impl PowerLoss {
    fn roll(dice: &SeededRandomness) -> PowerLoss {
        match dice.below(4) {
            0 => PowerLoss::Nothing,
            1 => PowerLoss::Everything,
            _ => PowerLoss::Some,
        }
    }

    fn keeps(self, dice: &SeededRandomness) -> bool {
        match self {
            PowerLoss::Nothing => true,
            PowerLoss::Everything => false,
            PowerLoss::Some => dice.below(2) == 0,
        }
    }
}

impl Stored {
    fn new(content: Content) -> Stored {
        Stored { content, name_synced: false, unsynced: Vec::new() }
    }

    fn after_power_loss(&self, dice: &SeededRandomness, loss: PowerLoss) -> Stored {
        let mut stored = Stored { name_synced: true, ..self.clone() };
        stored.keep_some(dice, loss);
        stored
    }

    fn sync(&mut self) {
        if let Content::File(room) = &mut self.content {
            self.unsynced.drain(..).for_each(|write| write.apply(write.range(), room));
        }
    }

    /// Some sectors of what is not synced reach the disk; the others never will, though they stay visible.
    fn keep_some(&mut self, dice: &SeededRandomness, loss: PowerLoss) {
        if let Content::File(room) = &mut self.content {
            for write in self.unsynced.drain(..) {
                write.sectors().filter(|_| loss.keeps(dice)).for_each(|part| write.apply(part, room));
            }
        }
    }
}

impl Write {
    fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.bytes.len() as u64
    }

    /// The parts of the write that lie in different sectors.
    fn sectors(&self) -> impl Iterator<Item = Range<u64>> {
        let range = self.range();
        (range.start / SECTOR_BYTES..range.end.div_ceil(SECTOR_BYTES)).map(move |sector| {
            let start = (sector * SECTOR_BYTES).max(range.start);
            start..((sector + 1) * SECTOR_BYTES).min(range.end)
        })
    }

    fn apply(&self, part: Range<u64>, room: &mut Room) {
        let (from, to) = ((part.start - self.offset) as usize, (part.end - self.offset) as usize);
        room.write(part.start, &self.bytes[from..to]);
    }
}

impl Store for FaultyStore {
    fn create(&self, path: &str, bytes: &[u8]) -> Result<Created> {
        let fault = self.shared.step_or_fail("create", path, bytes.len() as u64)?;
        let created = self.shared.visible.create(path, bytes)?;
        if created == Created::New {
            self.state().disk.insert(path.to_string(), Stored::new(Content::Object(bytes.to_vec())));
        }
        if fault == Some(Fault::AlreadyThere) { Ok(Created::AlreadyThere) } else { Ok(created) }
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.shared.step_or_fail("replace", path, bytes.len() as u64)?;
        self.shared.visible.replace(path, bytes)?;
        let mut state = self.state();
        let before = state.disk.insert(path.to_string(), Stored::new(Content::Object(bytes.to_vec())));
        if let Some(before) = before.filter(|before| before.name_synced) {
            state.replaced.insert(path.to_string(), before);
        }
        Ok(())
    }

    fn sync(&self, paths: &[&str]) -> Result<()> {
        let fault = self.shared.step("sync", &paths.join(" "), paths.len() as u64)?;
        self.shared.visible.sync(paths)?;
        let failure = failure(fault, "sync", &paths.join(" "));
        let mut state = self.state();
        if let Some(error) = &failure {
            state.failed_sync.get_or_insert_with(|| error.to_string());
        }
        if let Some(reason) = &state.failed_sync {
            return Err(failure.unwrap_or(Error::OutcomeUnknown { reason: reason.clone() }));
        }
        for path in paths {
            if let Some(stored) = state.disk.get_mut(*path) {
                stored.name_synced = true;
                stored.sync();
                state.replaced.remove(*path);
            }
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Result<Option<Bytes>> {
        self.shared.check_read(path)?;
        self.shared.visible.get(path)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        self.shared.check_read(path)?;
        self.shared.visible.get_range(path, range)
    }

    fn list(&self, directory: &str) -> Result<Vec<Listed>> {
        self.shared.check_read(directory)?;
        self.shared.visible.list(directory)
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.shared.step_or_fail("delete", path, 0)?;
        self.shared.visible.delete(path)?;
        let mut state = self.state();
        state.replaced.remove(path);
        if let Some(stored) = state.disk.remove(path) {
            state.deleted.insert(path.to_string(), stored);
        }
        Ok(())
    }

    fn local_path(&self, _path: &str) -> Option<PathBuf> {
        None
    }

    fn allocate(&self, path: &str, bytes: u64) -> Result<Created> {
        self.shared.step_or_fail("allocate", path, bytes)?;
        let created = self.shared.visible.allocate(path, bytes)?;
        if created == Created::New {
            self.state().disk.insert(path.to_string(), Stored::new(Content::File(Room::zeros(bytes))));
        }
        Ok(created)
    }

    fn open_file(&self, path: &str) -> Result<Option<Arc<dyn StoreFile>>> {
        self.shared.check_read(path)?;
        let file = self.shared.visible.open_file(path)?;
        let wrap = |file| FaultyFile { shared: self.shared.clone(), path: path.to_string(), file };
        Ok(file.map(|file| -> Arc<dyn StoreFile> { Arc::new(wrap(file)) }))
    }
}

#[derive(Debug)]
struct FaultyFile {
    shared: Arc<Shared>,
    path: String,
    file: Arc<dyn StoreFile>,
}

impl FaultyFile {
    fn write_through(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.file.write_at(offset, bytes)?;
        if let Some(stored) = self.shared.state().disk.get_mut(&self.path) {
            stored.unsynced.push(Write { offset, bytes: bytes.to_vec() });
        }
        Ok(())
    }
}

impl StoreFile for FaultyFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.shared.check_read(&self.path)?;
        self.file.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let fault = self.shared.step("write", &self.path, bytes.len() as u64)?;
        let Some(error) = failure(fault, "write", &self.path) else { return self.write_through(offset, bytes) };
        let written = self.shared.randomness.below(bytes.len() as u64) as usize;
        self.write_through(offset, &bytes[..written])?;
        Err(error)
    }

    fn sync(&self) -> Result<()> {
        let fault = self.shared.step("sync file", &self.path, 0)?;
        let failure = failure(fault, "sync file", &self.path);
        if let Some(stored) = self.shared.state().disk.get_mut(&self.path) {
            match failure {
                Some(_) => stored.keep_some(&self.shared.randomness, PowerLoss::Some),
                None => stored.sync(),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    fn bytes(&self) -> Result<u64> {
        self.shared.check_read(&self.path)?;
        self.file.bytes()
    }

    fn lock(&self) -> Result<()> {
        self.shared.step_or_fail("lock", &self.path, 0)?;
        self.file.lock()
    }

    fn try_lock(&self) -> Result<bool> {
        self.shared.step_or_fail("try lock", &self.path, 0)?;
        self.file.try_lock()
    }

    fn unlock(&self) -> Result<()> {
        // The kernel takes the lock back from a stopped process as well.
        self.file.unlock()
    }
}
