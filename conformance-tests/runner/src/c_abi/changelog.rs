//! The changelog and subscriptions.

use serde_json::json;

use super::arguments::{Texts, changes_options};
use super::functions::*;
use super::memory::{check, handle, result, result_maybe, text};
use super::structs::ArmillariaSubscription;
use super::{Answer, CAbiBackend, Handle, describe, misplaced, rows};
use crate::failure::Failure;
use crate::step::Step;

impl CAbiBackend {
    pub(super) fn run_changelog(&mut self, step: &Step) -> Option<Answer> {
        Some(match step.op() {
            "latest_tx_id" => self.latest_tx_id(step),
            "changes" => self.changes(step),
            "table_changes" => self.table_changes(step),
            "subscribe" => self.subscribe(step),
            "poll" => self.poll(step),
            "cursor" => self.cursor(step),
            _ => return None,
        })
    }

    fn latest_tx_id(&mut self, step: &Step) -> Answer {
        let (database, mut tx_id) = (self.database(step)?, u64::MAX);
        check(|error| unsafe { armillaria_latest_tx_id(database, &raw mut tx_id, error) })?;
        Ok(json!({"tx_id": tx_id}))
    }

    fn changes(&mut self, step: &Step) -> Answer {
        let (database, tables) = (self.database(step)?, Texts::of(step, "tables")?);
        let options = changes_options(step, tables.get())?;
        let changelog = result(armillaria_changelog_free, |out, error| unsafe {
            armillaria_changes(database, &raw const options, out, error)
        })?;
        Ok(describe::changelog(&changelog))
    }

    fn table_changes(&mut self, step: &Step) -> Answer {
        let (database, table, cancel) = (self.database(step)?, text(step.text("table")?), self.cancel(step)?);
        let (from, to) = (step.number("from")?, step.number("to")?);
        let stream = rows::stream(|out, error| unsafe {
            armillaria_table_changes(database, table, from, to, cancel, out, error)
        })?;
        self.hand_out(step, stream)
    }

    fn subscribe(&mut self, step: &Step) -> Answer {
        let (database, tables) = (self.database(step)?, Texts::of(step, "tables")?);
        let options = changes_options(step, tables.get())?;
        let subscription = handle(armillaria_subscription_free, |out, error| unsafe {
            armillaria_subscribe(database, &raw const options, out, error)
        })?;
        self.handles.insert(step.made()?, Handle::Subscription(subscription));
        Ok(json!({}))
    }

    fn subscription(&self, step: &Step) -> Result<*const ArmillariaSubscription, Failure> {
        match self.handles.get(step.on()?)? {
            Handle::Subscription(subscription) => Ok(subscription.get()),
            _ => Err(misplaced(step)),
        }
    }

    fn poll(&mut self, step: &Step) -> Answer {
        let (subscription, cancel) = (self.subscription(step)?, self.cancel(step)?);
        let timeout_ms = step.signed_maybe("timeout_ms")?.unwrap_or(0);
        let entry = result_maybe(armillaria_changelog_entry_free, |out, error| unsafe {
            armillaria_subscription_next(subscription, timeout_ms, cancel, out, error)
        })?;
        Ok(json!({"entry": entry.map(|entry| describe::entry(&entry))}))
    }

    fn cursor(&mut self, step: &Step) -> Answer {
        let (subscription, mut tx_id) = (self.subscription(step)?, u64::MAX);
        check(|error| unsafe { armillaria_subscription_cursor(subscription, &raw mut tx_id, error) })?;
        Ok(json!({"tx_id": tx_id}))
    }
}
