//! Branches, tags, merges.

use armillaria::{MergeOptions, MergeStrategy};
use serde_json::json;

use super::{Answer, CoreBackend, at, results};
use crate::failure::Failure;
use crate::step::Step;

impl CoreBackend {
    pub(super) fn run_branches(&mut self, step: &Step) -> Option<Answer> {
        Some(match step.op() {
            "checkout" => self.checkout(step),
            "current_branch" => self.current_branch(step),
            "create_branch" => self.create_branch(step),
            "delete_branch" => self.delete_branch(step),
            "list_branches" => self.list_branches(step),
            "diff_branches" => self.diff_branches(step),
            "merge_branch" => self.merge_branch(step),
            "revert" => self.revert(step),
            "set_branch_versions" => self.set_branch_versions(step),
            "create_tag" => self.create_tag(step),
            "delete_tag" => self.delete_tag(step),
            "list_tags" => self.list_tags(step),
            _ => return None,
        })
    }

    fn checkout(&mut self, step: &Step) -> Answer {
        self.database(step)?.checkout(step.text("branch")?)?;
        Ok(json!({}))
    }

    fn current_branch(&mut self, step: &Step) -> Answer {
        Ok(json!({"branch": self.database(step)?.current_branch()?}))
    }

    fn create_branch(&mut self, step: &Step) -> Answer {
        let (name, from) = (step.text("branch")?, at(step, "from")?);
        self.database(step)?.create_branch(name, &from, step.text_maybe("description")?)?;
        Ok(json!({}))
    }

    fn delete_branch(&mut self, step: &Step) -> Answer {
        self.database(step)?.delete_branch(step.text("branch")?)?;
        Ok(json!({}))
    }

    fn list_branches(&mut self, step: &Step) -> Answer {
        Ok(json!({"branches": results::plain(&self.database(step)?.list_branches()?)?}))
    }

    fn diff_branches(&mut self, step: &Step) -> Answer {
        Ok(results::branch_diff(&self.database(step)?.diff_branches(step.text("a")?, step.text("b")?)?))
    }

    fn merge_branch(&mut self, step: &Step) -> Answer {
        let strategy = match step.text_maybe("strategy")? {
            None | Some("fail") => MergeStrategy::Fail,
            Some("ours") => MergeStrategy::Ours,
            Some("theirs") => MergeStrategy::Theirs,
            Some(other) => return Err(Failure::Case(format!("there is no strategy {other:?}"))),
        };
        let options = MergeOptions {
            into: step.text_maybe("into")?.map(str::to_string),
            strategy,
            dry_run: step.flag("dry_run")?,
            message: step.text_maybe("message")?.map(str::to_string),
        };
        results::plain(&self.database(step)?.merge_branch(step.text("source")?, &options)?)
    }

    fn revert(&mut self, step: &Step) -> Answer {
        let (tx_id, message) = (step.number("tx_id")?, step.text_maybe("message")?);
        results::commit(&self.database(step)?.revert(tx_id, message)?)
    }

    fn set_branch_versions(&mut self, step: &Step) -> Answer {
        let versions = step.versions("versions")?;
        let versions =
            versions.into_iter().map(|(table, version)| (table, Some(version).filter(|version| *version > 0)));
        let (branch, message) = (step.text("branch")?, step.text_maybe("message")?);
        results::commit(&self.database(step)?.set_branch_versions(branch, &versions.collect(), message)?)
    }

    fn create_tag(&mut self, step: &Step) -> Answer {
        self.database(step)?.create_tag(step.text("tag")?, &at(step, "at")?)?;
        Ok(json!({}))
    }

    fn delete_tag(&mut self, step: &Step) -> Answer {
        self.database(step)?.delete_tag(step.text("tag")?)?;
        Ok(json!({}))
    }

    fn list_tags(&mut self, step: &Step) -> Answer {
        Ok(json!({"tags": results::plain(&self.database(step)?.list_tags()?)?}))
    }
}
