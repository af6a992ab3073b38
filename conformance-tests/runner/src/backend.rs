//! What a runner needs of an SDK, and the named handles that each one keeps.

use serde_json::Value as Json;

use crate::failure::Failure;
use crate::step::Step;

/// One way to call the product.
pub trait Backend {
    /// Runs a step and answers with its result, in the terms of the README.
    fn run(&mut self, step: &Step) -> Result<Json, Failure>;
}

/// Handles by name, in the order in which they were made. Dropping it releases them, newest first.
#[derive(Debug)]
pub(crate) struct Handles<H> {
    named: Vec<(String, H)>,
}

impl<H> Default for Handles<H> {
    fn default() -> Handles<H> {
        Handles { named: Vec::new() }
    }
}

impl<H> Handles<H> {
    /// Keeps a handle; one of the same name is released.
    pub(crate) fn insert(&mut self, name: &str, handle: H) {
        self.named.retain(|(known, _)| known != name);
        self.named.push((name.to_string(), handle));
    }

    pub(crate) fn get(&self, name: &str) -> Result<&H, Failure> {
        let found = self.named.iter().find(|(known, _)| known == name);
        found.map(|(_, handle)| handle).ok_or_else(|| unknown(name))
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Result<&mut H, Failure> {
        let found = self.named.iter_mut().find(|(known, _)| known == name);
        found.map(|(_, handle)| handle).ok_or_else(|| unknown(name))
    }

    /// Gives a handle up.
    pub(crate) fn remove(&mut self, name: &str) -> Result<H, Failure> {
        let place = self.named.iter().position(|(known, _)| known == name).ok_or_else(|| unknown(name))?;
        Ok(self.named.remove(place).1)
    }
}

impl<H> Drop for Handles<H> {
    fn drop(&mut self) {
        while self.named.pop().is_some() {}
    }
}

fn unknown(name: &str) -> Failure {
    Failure::Case(format!("there is no handle {name:?}"))
}
