//! `armillaria init`

use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::failure::Outcome;
use crate::hint::quoted;

/// Creates a repository in the folder that -C names; the folder is made if it is not there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  armillaria -C shop init\n  armillaria init")]
pub(crate) struct Init {}

impl Init {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let folder = context.repository();
        let existed = folder.join("repo.json").exists();
        context.create()?.close();
        context.output().answer(
            || json!({ "repository": folder.display().to_string(), "created": !existed }),
            |out, _| match existed {
                true => writeln!(out, "{} is a repository already", folder.display()),
                false => writeln!(
                    out,
                    "created a repository in {0}\nnext: armillaria -C {1} import TABLE FILE",
                    folder.display(),
                    quoted(&folder.display().to_string())
                ),
            },
        )
    }
}
