//! Reading and making `repo.json`, the file that makes a directory a repository.

use super::{Created, Environment, Store};
use crate::error::Result;
use crate::format::Repository;

/// Where it stands.
pub const PATH: &str = "repo.json";

/// Reads `repo.json`; `None` if there is none. `FORMAT_UNSUPPORTED`, `LOG_CORRUPT`.
pub fn load(store: &dyn Store) -> Result<Option<Repository>> {
    store.get(PATH)?.map(|bytes| Repository::decode(&bytes)).transpose()
}

/// Reads `repo.json`, or makes one; durable on return. Whoever makes it first decides the identity.
pub fn load_or_create(store: &dyn Store, environment: &Environment) -> Result<Repository> {
    if let Some(repository) = load(store)? {
        return Ok(repository);
    }
    let mut uuid = [0; 16];
    environment.randomness.fill(&mut uuid)?;
    let made = Repository::new(uuid, environment.clock.now_us());
    let created = store.create(PATH, &made.encode()?)?;
    store.sync(&[PATH])?;
    match created {
        Created::New => Ok(made),
        Created::AlreadyThere => load(store)?.map_or(Ok(made), Ok),
    }
}
