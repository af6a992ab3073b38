//! Figure d: durable commits of ten rows.

use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use armillaria::{Database, WriteOptions};
use arrow::array::RecordBatch;

use crate::context::Context;
use crate::data::{self, Generator};
use crate::peers::bare_log::{self, BareLog};
use crate::peers::doltlite::DoltLite;
use crate::report::{Goal, Line, Unit};
use crate::worker::Conversation;
use crate::{Result, timing};

const ROWS: usize = 10;
const TABLE: &str = "events";
const ROUNDS: usize = 21;

/// Commits of a round; twice as many as inlined batches are folded at, so that every round has its share of folds.
const COMMITS: usize = 128;

const THREADS: usize = 16;

pub(super) fn measure(context: &Context) -> Result<Vec<Line>> {
    let (rounds, commits) = (context.scaled(ROUNDS).max(3), context.scaled(COMMITS).max(THREADS));
    let mut lines = one_writer(context, rounds, commits)?;
    lines.push(threads(context, rounds, commits)?);
    lines.push(processes(context, rounds, commits)?);
    Ok(lines)
}

/// Batches of ten rows.
pub(crate) fn small_batches(first_id: i64, count: usize) -> Result<Vec<RecordBatch>> {
    let mut generator = Generator::new(first_id);
    Ok((0..count).map(|_| generator.batch(ROWS)).collect::<std::result::Result<_, _>>()?)
}

fn one_writer(context: &Context, rounds: usize, commits: usize) -> Result<Vec<Line>> {
    let directories = [context.scratch()?, context.scratch()?, context.scratch()?];
    let [repository, bare, doltlite] = directories.each_ref().map(tempfile::TempDir::path);
    let database = context.open(repository)?;
    let batches = small_batches(0, rounds * commits)?;
    let records = records_of(context, &batches[..2 * commits])?;
    let mut bare = BareLog::new(bare)?;
    let mut doltlite = DoltLite::start(context, doltlite, &batches)?;
    let mut left = batches.chunks(commits);
    let mut ours = || commit_all(context, &database, left.next().unwrap_or(&[]));
    let mut bare = || {
        let append = || records.iter().try_for_each(|record| bare.append(record));
        Ok(context.time(append)?.0.mul_f64(commits as f64 / records.len() as f64))
    };
    let mut doltlite = || doltlite.commit(commits);
    let [ours, bare, doltlite] = timing::in_turn(rounds, [&mut ours, &mut bare, &mut doltlite])?;
    let rate = |samples: &timing::Samples| commits as f64 / samples.median();
    Ok(vec![
        Line::ratio("one writer / bare loop", rate(&ours), rate(&bare), Unit::PerSecond, Goal::Least(0.6)),
        Line::ratio("one writer / DoltLite", rate(&ours), rate(&doltlite), Unit::PerSecond, Goal::Least(2.0)),
    ])
}

/// The records that these commits make, once a table is there.
fn records_of(context: &Context, batches: &[RecordBatch]) -> Result<Vec<Vec<u8>>> {
    let directory = context.scratch()?;
    commit_all(context, &context.open(directory.path())?, batches)?;
    let records = bare_log::records(directory.path())?;
    match records.len() >= batches.len() {
        true => Ok(records),
        false => Err(format!("{} commits left {} records", batches.len(), records.len()).into()),
    }
}

fn commit_all(context: &Context, database: &Database, batches: &[RecordBatch]) -> Result<Duration> {
    let commit = |batch: &RecordBatch| -> Result<()> {
        database.write_table(TABLE, data::stream(std::slice::from_ref(batch)), &WriteOptions::append())?;
        Ok(())
    };
    Ok(context.time(|| batches.iter().try_for_each(commit))?.0)
}

fn threads(context: &Context, rounds: usize, commits: usize) -> Result<Line> {
    let directory = context.scratch()?;
    let database = context.open(directory.path())?;
    let batches = small_batches(0, rounds * commits)?;
    let many_batches = small_batches(1 << 40, rounds * commits * THREADS)?;
    let (mut left, mut many_left) = (batches.chunks(commits), many_batches.chunks(commits * THREADS));
    let mut one = || commit_all(context, &database, left.next().unwrap_or(&[]));
    let mut many = || commit_from_threads(context, &database, many_left.next().unwrap_or(&[]));
    let [one, many] = timing::in_turn(rounds, [&mut one, &mut many])?;
    let (one, many) = (commits as f64 / one.median(), (commits * THREADS) as f64 / many.median());
    Ok(Line::ratio("16 threads / one", many, one, Unit::PerSecond, Goal::Least(5.0)))
}

/// Every thread commits its share; they begin together.
fn commit_from_threads(context: &Context, database: &Database, batches: &[RecordBatch]) -> Result<Duration> {
    let start = Barrier::new(THREADS + 1);
    let work = |batches: &[RecordBatch]| -> Result<()> {
        start.wait();
        for batch in batches {
            database.write_table(TABLE, data::stream(std::slice::from_ref(batch)), &WriteOptions::append())?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let work = &work;
        let shares = batches.chunks(batches.len() / THREADS);
        let threads: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
        start.wait();
        let all = || threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?);
        Ok(context.time(all)?.0)
    })
}

fn processes(context: &Context, rounds: usize, commits: usize) -> Result<Line> {
    let directory = context.scratch()?;
    context.open(directory.path())?;
    let mut one = || commit_from_processes::<1>(context, directory.path(), commits);
    let mut two = || commit_from_processes::<2>(context, directory.path(), commits);
    let [one, two] = timing::in_turn(rounds, [&mut one, &mut two])?;
    let (one, two) = (commits as f64 / one.median(), 2.0 * commits as f64 / two.median());
    Ok(Line::ratio("two processes / one", two, one, Unit::PerSecond, Goal::Least(1.0)))
}

/// Processes open the repository, make a first commit, and then begin together; until the last has ended.
fn commit_from_processes<const COUNT: usize>(context: &Context, directory: &Path, commits: usize) -> Result<Duration> {
    let mut processes = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        processes.push(Conversation::committer(directory, commits)?);
    }
    let work = || {
        processes.iter_mut().try_for_each(|process| process.say("go"))?;
        processes.iter_mut().try_for_each(|process| process.listen().map(|_| ()))
    };
    Ok(context.time(work)?.0)
}
