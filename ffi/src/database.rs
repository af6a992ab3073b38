//! The database handle.

use std::mem::MaybeUninit;

use armillaria::repository::Locations;
use armillaria::{Database, Error, OpenOptions, Result};
use safer_ffi::derive_ReprC;

use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::flag::Flag;
use crate::guard::{answer, given, run};
use crate::options::{self, Options};
use crate::panics::quietly;
use crate::results::{ArmillariaBuffer, buffer};
use crate::string::ArmillariaString;

/// An open repository. Shared: any thread may use it, several at once. Its current branch belongs to this handle.
#[derive(Debug)]
pub struct ArmillariaDatabase {
    database: Database,
}

impl ArmillariaDatabase {
    fn new(database: Database) -> *mut ArmillariaDatabase {
        Box::into_raw(Box::new(ArmillariaDatabase { database }))
    }
}

/// The database behind a handle; `INVALID_ARGUMENT` for NULL.
pub(crate) fn database(db: Option<&ArmillariaDatabase>) -> Result<&Database> {
    given(db, "db").map(|db| &db.database)
}

/// How a repository is opened.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaOpenOptions {
    /// `sizeof(ArmillariaOpenOptions)`.
    pub struct_size: usize,
    /// Whether it is an error if there is no repository; otherwise it is created.
    pub must_exist: Flag,
    /// Whether every write is refused.
    pub read_only: Flag,
    /// Whether SQL may read files outside the repository.
    pub external_access: Flag,
    /// Threads to work with; 0: as many as there are cores.
    pub threads: u32,
    /// Memory for SQL in bytes; 0: most of the machine's.
    pub memory_limit_bytes: u64,
    /// Who commits. Optional.
    pub author: ArmillariaString,
    /// Where data is spilled. Not given: the system's temporary directory.
    pub cache_dir: ArmillariaString,
}

// SAFETY: begins with the size; numbers, flags and strings only, which bytes of any value make.
unsafe impl Options for ArmillariaOpenOptions {
    const NAME: &'static str = "ArmillariaOpenOptions";
}

/// The directories of one repository whose parts stand apart.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaPartLocations {
    /// `sizeof(ArmillariaPartLocations)`.
    pub struct_size: usize,
    /// The chunks. Required.
    pub chunks: ArmillariaString,
    /// The log and all metadata. Required.
    pub catalog: ArmillariaString,
    /// A directory that, opened alone, shows the branches. Optional.
    pub branches: ArmillariaString,
    /// A directory that, opened alone, shows the transactions. Optional.
    pub transactions: ArmillariaString,
}

// SAFETY: begins with the size; strings only, which bytes of any value make.
unsafe impl Options for ArmillariaPartLocations {
    const NAME: &'static str = "ArmillariaPartLocations";
}

/// # Safety
/// As for [`options::read`], and its strings are what strings must be.
unsafe fn open_options(options: *const ArmillariaOpenOptions) -> Result<OpenOptions> {
    // SAFETY: the caller's promise.
    let options = unsafe { options::read(options) }?;
    // SAFETY: likewise.
    let (author, cache_dir) = unsafe { (options.author.owned("author")?, options.cache_dir.owned("cache_dir")?) };
    let threads = usize::try_from(options.threads)
        .map_err(|_| Error::invalid("threads", format!("{} are too many", options.threads)))?;
    Ok(OpenOptions {
        create: !options.must_exist.get(),
        read_only: options.read_only.get(),
        external_access: options.external_access.get(),
        threads: (threads > 0).then_some(threads),
        memory_limit_bytes: (options.memory_limit_bytes > 0).then_some(options.memory_limit_bytes),
        author,
        cache_dir: cache_dir.map(Into::into),
        ..OpenOptions::default()
    })
}

/// # Safety
/// As for [`options::read`], and its strings are what strings must be.
unsafe fn locations(locations: *const ArmillariaPartLocations) -> Result<Locations> {
    // SAFETY: the caller's promise.
    let locations = unsafe { options::read(locations) }?;
    // SAFETY: likewise.
    unsafe {
        Ok(Locations {
            chunks: locations.chunks.required("chunks")?.into(),
            catalog: locations.catalog.required("catalog")?.into(),
            branches: locations.branches.owned("branches")?.map(Into::into),
            transactions: locations.transactions.owned("transactions")?.map(Into::into),
        })
    }
}

/// Opens a repository, making it where there is none unless `must_exist`. `location` is a directory, or `memory:`.
///
/// `REPOSITORY_NOT_FOUND`, `FORMAT_UNSUPPORTED`, `LOG_CORRUPT`, `IO`, `UNSUPPORTED` (object stores).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_open(
    location: ArmillariaString,
    options: *const ArmillariaOpenOptions,
    out: Option<&mut MaybeUninit<*mut ArmillariaDatabase>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (location, options) = unsafe { (location.required("location")?, open_options(options)?) };
        Database::open(location, options).map(ArmillariaDatabase::new)
    })
}

/// Opens a repository whose parts stand in directories of their own. Each of them opened alone shows the committed state.
///
/// `INVALID_ARGUMENT` if one of them belongs to another repository; otherwise as `armillaria_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_open_parts(
    locations: *const ArmillariaPartLocations,
    options: *const ArmillariaOpenOptions,
    out: Option<&mut MaybeUninit<*mut ArmillariaDatabase>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (locations, options) = unsafe { (self::locations(locations)?, open_options(options)?) };
        Database::open_parts(&locations, options).map(ArmillariaDatabase::new)
    })
}

/// Closes the database: whatever is asked of it, of its transactions and of its subscriptions later is `CLOSED`; waiting
/// subscriptions wake up. Streams that were handed out can still be read. Closing again does nothing. The handle is
/// still to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_close(
    db: Option<&ArmillariaDatabase>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        database(db)?.close();
        Ok(())
    })
}

/// Closes the database and frees the handle, which no other thread may be using. Transactions, subscriptions and streams
/// may outlive it. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_database_free(db: Option<Box<ArmillariaDatabase>>) {
    quietly((), || {
        if let Some(db) = db {
            db.database.close();
        }
    });
}

/// Makes another branch the current one, for this handle. `BRANCH_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_checkout(
    db: Option<&ArmillariaDatabase>,
    branch: ArmillariaString,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        // SAFETY: arguments are what the header asks for.
        let branch = unsafe { branch.required("branch") }?;
        database(db)?.checkout(branch)
    })
}

/// The branch that operations look at unless told otherwise; `main` at first. The name is UTF-8, to be freed with
/// `armillaria_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_current_branch(
    db: Option<&ArmillariaDatabase>,
    out: Option<&mut MaybeUninit<*const ArmillariaBuffer>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || Ok(buffer(database(db)?.current_branch()?)))
}
