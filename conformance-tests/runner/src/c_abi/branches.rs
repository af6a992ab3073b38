//! Branches, tags, merges.

use serde_json::json;

use super::arguments::{At, choice};
use super::functions::*;
use super::memory::{check, result, text, text_maybe};
use super::structs::*;
use super::{Answer, CAbiBackend, describe};
use crate::step::Step;

impl CAbiBackend {
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
        let (database, branch) = (self.database(step)?, text(step.text("branch")?));
        check(|error| unsafe { armillaria_checkout(database, branch, error) })?;
        Ok(json!({}))
    }

    fn current_branch(&mut self, step: &Step) -> Answer {
        let database = self.database(step)?;
        let branch =
            result(armillaria_buffer_free, |out, error| unsafe { armillaria_current_branch(database, out, error) })?;
        Ok(json!({"branch": String::from_utf8_lossy(&describe::bytes(&branch))}))
    }

    fn create_branch(&mut self, step: &Step) -> Answer {
        let (database, name, place) = (self.database(step)?, text(step.text("branch")?), step.at("from")?);
        let description = text_maybe(step.text_maybe("description")?);
        let mut from = At::of(&place);
        let from = from.get();
        check(|error| unsafe { armillaria_create_branch(database, name, from, description, error) })?;
        Ok(json!({}))
    }

    fn delete_branch(&mut self, step: &Step) -> Answer {
        let (database, name) = (self.database(step)?, text(step.text("branch")?));
        check(|error| unsafe { armillaria_delete_branch(database, name, error) })?;
        Ok(json!({}))
    }

    fn list_branches(&mut self, step: &Step) -> Answer {
        let database = self.database(step)?;
        let list = result(armillaria_branch_list_free, |out, error| unsafe {
            armillaria_list_branches(database, out, error)
        })?;
        Ok(describe::branch_list(&list))
    }

    fn diff_branches(&mut self, step: &Step) -> Answer {
        let (database, a, b) = (self.database(step)?, text(step.text("a")?), text(step.text("b")?));
        let diff = result(armillaria_branch_diff_free, |out, error| unsafe {
            armillaria_diff_branches(database, a, b, out, error)
        })?;
        Ok(describe::branch_diff(&diff))
    }

    fn merge_branch(&mut self, step: &Step) -> Answer {
        let (database, source) = (self.database(step)?, text(step.text("source")?));
        let options = ArmillariaMergeOptions {
            struct_size: size_of::<ArmillariaMergeOptions>(),
            strategy: choice(step, "strategy", &["fail", "ours", "theirs"])?,
            dry_run: step.flag("dry_run")?,
            into: text_maybe(step.text_maybe("into")?),
            message: text_maybe(step.text_maybe("message")?),
        };
        let report = result(armillaria_merge_report_free, |out, error| unsafe {
            armillaria_merge_branch(database, source, &raw const options, out, error)
        })?;
        Ok(describe::merge_report(&report))
    }

    fn revert(&mut self, step: &Step) -> Answer {
        let (database, tx_id) = (self.database(step)?, step.number("tx_id")?);
        let message = text_maybe(step.text_maybe("message")?);
        let commit = result(armillaria_commit_free, |out, error| unsafe {
            armillaria_revert(database, tx_id, message, out, error)
        })?;
        Ok(describe::commit(&commit))
    }

    fn set_branch_versions(&mut self, step: &Step) -> Answer {
        let (database, branch) = (self.database(step)?, text(step.text("branch")?));
        let (message, versions) = (text_maybe(step.text_maybe("message")?), step.versions("versions")?);
        let versions: Vec<_> = versions
            .iter()
            .map(|(table, version)| ArmillariaTableVersion { table: text(table), version: *version })
            .collect();
        let commit = result(armillaria_commit_free, |out, error| unsafe {
            armillaria_set_branch_versions(database, branch, versions.as_ptr(), versions.len(), message, out, error)
        })?;
        Ok(describe::commit(&commit))
    }

    fn create_tag(&mut self, step: &Step) -> Answer {
        let (database, name, place) = (self.database(step)?, text(step.text("tag")?), step.at("at")?);
        let mut at = At::of(&place);
        let at = at.get();
        check(|error| unsafe { armillaria_create_tag(database, name, at, error) })?;
        Ok(json!({}))
    }

    fn delete_tag(&mut self, step: &Step) -> Answer {
        let (database, name) = (self.database(step)?, text(step.text("tag")?));
        check(|error| unsafe { armillaria_delete_tag(database, name, error) })?;
        Ok(json!({}))
    }

    fn list_tags(&mut self, step: &Step) -> Answer {
        let database = self.database(step)?;
        let list =
            result(armillaria_tag_list_free, |out, error| unsafe { armillaria_list_tags(database, out, error) })?;
        Ok(describe::tag_list(&list))
    }
}
