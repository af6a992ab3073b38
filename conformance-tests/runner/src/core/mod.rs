//! The backend that calls the crate `armillaria`.

mod branches;
mod changelog;
mod chunks;
mod parameters;
mod results;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use armillaria::chunk_store::ChunkStore;
use armillaria::repository::Locations;
use armillaria::{
    At, BeginOptions, CancelToken, Database, Isolation, OpenOptions, RowStream, Subscription, Transaction,
};
use serde_json::{Value as Json, json};

use self::parameters::Given;
use crate::backend::{Backend, Handles};
use crate::failure::Failure;
use crate::harness::place;
use crate::rows;
use crate::step::{AtPoint, Step};

/// Calls the crate `armillaria`.
#[derive(Debug)]
pub struct CoreBackend {
    directory: PathBuf,
    handles: Handles<Handle>,
    opened: BTreeMap<String, Opening>,
}

/// How a database was opened, so that it can be opened again.
#[derive(Clone, Debug)]
struct Opening {
    target: Target,
    options: OpenOptions,
}

#[derive(Clone, Debug)]
enum Target {
    One(PathBuf),
    Parts(Locations),
}

enum Handle {
    Database(Database),
    Transaction(Transaction),
    Subscription(Subscription),
    Stream(Option<RowStream>),
    ChunkStore(ChunkStore),
    Cancel(CancelToken),
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

impl Handle {
    fn kind(&self) -> &'static str {
        match self {
            Handle::Database(_) => "database",
            Handle::Transaction(_) => "transaction",
            Handle::Subscription(_) => "subscription",
            Handle::Stream(_) => "stream",
            Handle::ChunkStore(_) => "chunk store",
            Handle::Cancel(_) => "cancel token",
        }
    }
}

type Answer = Result<Json, Failure>;

impl CoreBackend {
    /// A backend whose paths are below a directory.
    pub fn new(directory: &Path) -> CoreBackend {
        CoreBackend { directory: directory.to_path_buf(), handles: Handles::default(), opened: BTreeMap::new() }
    }

    fn database(&self, step: &Step) -> Result<&Database, Failure> {
        match self.handles.get(step.on()?)? {
            Handle::Database(database) => Ok(database),
            other => Err(misplaced(step, other)),
        }
    }

    fn cancel(&self, step: &Step) -> Result<CancelToken, Failure> {
        let Some(name) = step.text_maybe("cancel")? else { return Ok(CancelToken::new()) };
        match self.handles.get(name)? {
            Handle::Cancel(token) => Ok(token.clone()),
            other => Err(misplaced(step, other)),
        }
    }

    fn open(&mut self, step: &Step, target: Target) -> Answer {
        let defaults = OpenOptions::default();
        let options = OpenOptions {
            create: !step.flag("must_exist")?,
            read_only: step.flag("read_only")?,
            external_access: step.flag("external_access")?,
            threads: step.number_maybe("threads")?.map(|threads| threads as usize),
            memory_limit_bytes: step.number_maybe("memory_limit_bytes")?,
            author: step.text_maybe("author")?.map(str::to_string),
            cache_dir: step.text_maybe("cache_dir")?.map(|path| place(&self.directory, path)),
            ..defaults
        };
        self.open_as(step.made()?, Opening { target, options })
    }

    fn open_as(&mut self, name: &str, opening: Opening) -> Answer {
        let database = match &opening.target {
            Target::One(location) => Database::open(location, opening.options.clone()),
            Target::Parts(locations) => Database::open_parts(locations, opening.options.clone()),
        };
        self.handles.insert(name, Handle::Database(database?));
        self.opened.insert(name.to_string(), opening);
        Ok(json!({}))
    }

    fn parts(&self, step: &Step) -> Result<Target, Failure> {
        let optional = |name| Ok::<_, Failure>(step.text_maybe(name)?.map(|path| place(&self.directory, path)));
        Ok(Target::Parts(Locations {
            chunks: place(&self.directory, step.text("chunks")?),
            catalog: place(&self.directory, step.text("catalog")?),
            branches: optional("branches")?,
            transactions: optional("transactions")?,
        }))
    }

    fn reopen(&mut self, step: &Step) -> Answer {
        let name = step.on()?;
        self.database(step)?.close();
        drop(self.handles.remove(name)?);
        let opening = self.opened.get(name).cloned().ok_or("it was never opened")?;
        self.open_as(name, opening)
    }

    fn close(&mut self, step: &Step) -> Answer {
        match self.handles.get(step.on()?)? {
            Handle::Database(database) => database.close(),
            Handle::Subscription(subscription) => subscription.close(),
            other => return Err(misplaced(step, other)),
        }
        Ok(json!({}))
    }

    fn begin(&mut self, step: &Step) -> Answer {
        let isolation = match step.text_maybe("isolation")? {
            None | Some("snapshot") => Isolation::Snapshot,
            Some("serializable") => Isolation::Serializable,
            Some(other) => return Err(Failure::Case(format!("there is no isolation {other:?}"))),
        };
        let options = BeginOptions { branch: step.text_maybe("branch")?.map(str::to_string), isolation };
        let transaction = self.database(step)?.begin(&options)?;
        self.handles.insert(step.made()?, Handle::Transaction(transaction));
        Ok(json!({}))
    }

    fn transaction_end(&mut self, step: &Step) -> Answer {
        let Handle::Transaction(transaction) = self.handles.get(step.on()?)? else {
            return Err("only a transaction is committed or rolled back".into());
        };
        if step.op() == "rollback" {
            transaction.rollback()?;
            return Ok(json!({}));
        }
        results::commit(&transaction.commit(step.text_maybe("message")?)?)
    }

    fn query(&mut self, step: &Step) -> Answer {
        let (sql, given, cancel) = (step.text("sql")?, Given::parse(step)?, self.cancel(step)?);
        let values = given.values();
        let parameters = values.parameters();
        let stream = match self.handles.get(step.on()?)? {
            Handle::Database(database) => database.query_with(sql, parameters, &at(step, "at")?, &cancel)?,
            Handle::Transaction(transaction) => transaction.query_with(sql, parameters, &cancel)?,
            other => return Err(misplaced(step, other)),
        };
        self.hand_out(step, stream)
    }

    fn execute(&mut self, step: &Step) -> Answer {
        let (sql, given) = (step.text("sql")?, Given::parse(step)?);
        let values = given.values();
        let parameters = values.parameters();
        self.cancel(step)?;
        match self.handles.get(step.on()?)? {
            Handle::Database(database) => results::commit(&database.execute(sql, parameters)?),
            Handle::Transaction(transaction) => transaction.execute(sql).map(|_| json!({})).map_err(Failure::from),
            other => Err(misplaced(step, other)),
        }
    }

    /// Reads a stream, or keeps it where the step names a handle for it.
    fn hand_out(&mut self, step: &Step, stream: RowStream) -> Answer {
        match step.made_maybe() {
            None => read(stream),
            Some(name) => {
                self.handles.insert(name, Handle::Stream(Some(stream)));
                Ok(json!({}))
            }
        }
    }

    fn drain(&mut self, step: &Step) -> Answer {
        match self.handles.get_mut(step.on()?)? {
            Handle::Stream(stream) => read(stream.take().ok_or("the stream was read already")?),
            other => Err(misplaced(step, other)),
        }
    }

    fn cancel_token(&mut self, step: &Step) -> Answer {
        if step.op() == "new_cancel_token" {
            self.handles.insert(step.made()?, Handle::Cancel(CancelToken::new()));
            return Ok(json!({}));
        }
        let Handle::Cancel(token) = self.handles.get(step.on()?)? else {
            return Err("only a token is cancelled".into());
        };
        if step.op() == "cancel" {
            token.cancel();
            return Ok(json!({}));
        }
        Ok(json!({"cancelled": token.is_cancelled()}))
    }
}

impl Backend for CoreBackend {
    fn run(&mut self, step: &Step) -> Answer {
        match step.op() {
            "open" => {
                let location = place(&self.directory, step.text_maybe("location")?.unwrap_or("repo"));
                self.open(step, Target::One(location))
            }
            "open_parts" => self.parts(step).and_then(|target| self.open(step, target)),
            "close" => self.close(step),
            "reopen" => self.reopen(step),
            "release" => self.handles.remove(step.on()?).map(|_| json!({})),
            "version" => Ok(json!({"version": env!("CARGO_PKG_VERSION")})),
            "begin" => self.begin(step),
            "commit" | "rollback" => self.transaction_end(step),
            "query" => self.query(step),
            "execute" => self.execute(step),
            "drain" => self.drain(step),
            "new_cancel_token" | "cancel" | "is_cancelled" => self.cancel_token(step),
            _ => self
                .run_tables(step)
                .or_else(|| self.run_branches(step))
                .or_else(|| self.run_changelog(step))
                .or_else(|| self.run_chunks(step))
                .unwrap_or_else(|| Err(Failure::Case(format!("there is no operation {:?}", step.op())))),
        }
    }
}

fn read(stream: RowStream) -> Answer {
    rows::collect(stream, |error| armillaria::table::error_from_arrow(error).into())
}

fn misplaced(step: &Step, handle: &Handle) -> Failure {
    Failure::Case(format!("`{}` does not take a {}", step.op(), handle.kind()))
}

/// Where a read looks.
fn at(step: &Step, name: &str) -> Result<At, Failure> {
    let arguments = step.at(name)?;
    let at = match arguments.point {
        AtPoint::Head => At::head(),
        AtPoint::Tag(tag) => At::tag(tag),
        AtPoint::Transaction(tx_id) => At::tx(tx_id),
        AtPoint::Time(time_us) => At::timestamp(time_us),
    };
    let at = arguments.branch.into_iter().fold(at, At::on_branch);
    Ok(arguments.versions.into_iter().fold(at, |at, (table, version)| at.with_version(table, version)))
}
