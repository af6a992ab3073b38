//! `armillaria inspect`

use std::io::{self, Write};

use clap::Args;

use crate::context::{Access, Context};
use crate::failure::Outcome;

/// Prints any stored object as JSON.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  armillaria inspect repo\n  armillaria inspect tx:42\n  armillaria inspect flights@3"
)]
pub(crate) struct Inspect {
    /// repo, tx:N, TABLE@VERSION, chunk:HASH or node:HASH.
    object: String,
}

impl Inspect {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let value = context.open(Access::Read)?.inspect(&self.object)?;
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &value).map_err(io::Error::from)?;
        Ok(writeln!(out)?)
    }
}
