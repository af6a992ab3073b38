//! `armillaria tag`

use armillaria::OpenOptions;
use clap::Args;
use serde_json::json;

use super::start;
use crate::context::{Access, Context};
use crate::failure::Outcome;
use crate::output::Table;
use crate::time;

const EXAMPLES: &str = "\
Examples:
  armillaria tag
  armillaria tag v1.0
  armillaria tag before-fix tx:17
  armillaria tag --delete v1.0";

/// Lists, creates or deletes tags: names that stay where they are.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Tag {
    /// Create a tag of this name …
    name: Option<String>,
    /// … here: a branch or tag, tag:NAME, branch:NAME or tx:N; the current branch if absent.
    #[arg(requires = "name")]
    start: Option<String>,
    /// Delete this tag.
    #[arg(long, value_name = "TAG", conflicts_with = "name")]
    delete: Option<String>,
}

impl Tag {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match (&self.name, &self.delete) {
            (Some(name), _) => self.create(name, context),
            (None, Some(name)) => delete(name, context),
            (None, None) => list(context),
        }
    }

    fn create(&self, name: &str, context: &Context) -> Outcome {
        let database = context.open(Access::Write)?;
        let at = start::find(&database, self.start.as_deref())?;
        let tag = database.create_tag(name, &at)?;
        context
            .output()
            .answer(|| json!(tag), |out, _| writeln!(out, "created tag {name} at transaction {}", tag.tx_id))
    }
}

fn delete(name: &str, context: &Context) -> Outcome {
    context.open_on_main(Access::Write, OpenOptions::default())?.delete_tag(name)?;
    context.output().answer(|| json!({ "deleted": name }), |out, _| writeln!(out, "deleted tag {name}"))
}

fn list(context: &Context) -> Outcome {
    let tags = context.open_on_main(Access::Read, OpenOptions::default())?.list_tags()?;
    context.output().answer(
        || json!(tags),
        |out, _| {
            let mut table = Table::new(["tag", ">tx", "created"]);
            tags.iter()
                .for_each(|tag| table.row([tag.name.clone(), tag.tx_id.to_string(), time::format(tag.created_us)]));
            table.write_or(out, "no tags")
        },
    )
}
