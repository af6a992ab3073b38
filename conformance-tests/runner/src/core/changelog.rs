//! The changelog and subscriptions.

use std::time::Duration;

use armillaria::ChangesQuery;
use serde_json::{Value as Json, json};

use super::{Answer, CoreBackend, Handle, misplaced, results};
use crate::failure::Failure;
use crate::step::Step;

impl CoreBackend {
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
        Ok(json!({"tx_id": self.database(step)?.latest_tx_id()?}))
    }

    fn changes(&mut self, step: &Step) -> Answer {
        let entries = self.database(step)?.changes(&changes_query(step)?)?;
        Ok(json!({"entries": entries.iter().map(results::entry).collect::<Result<Json, Failure>>()?}))
    }

    fn table_changes(&mut self, step: &Step) -> Answer {
        let (from, to, cancel) = (step.number("from")?, step.number("to")?, self.cancel(step)?);
        let stream = self.database(step)?.table_changes_with(step.text("table")?, from, to, &cancel)?;
        self.hand_out(step, stream)
    }

    fn subscribe(&mut self, step: &Step) -> Answer {
        let subscription = self.database(step)?.subscribe(&changes_query(step)?)?;
        self.handles.insert(step.made()?, Handle::Subscription(subscription));
        Ok(json!({}))
    }

    fn poll(&mut self, step: &Step) -> Answer {
        let (timeout, cancel) = (step.number_maybe("timeout_ms")?.unwrap_or(0), self.cancel(step)?);
        match self.handles.get_mut(step.on()?)? {
            Handle::Subscription(subscription) => {
                let entry = subscription.poll_with(Duration::from_millis(timeout), &cancel)?;
                Ok(json!({"entry": entry.as_ref().map(results::entry).transpose()?}))
            }
            other => Err(misplaced(step, other)),
        }
    }

    fn cursor(&mut self, step: &Step) -> Answer {
        match self.handles.get(step.on()?)? {
            Handle::Subscription(subscription) => Ok(json!({"tx_id": subscription.cursor()})),
            other => Err(misplaced(step, other)),
        }
    }
}

fn changes_query(step: &Step) -> Result<ChangesQuery, Failure> {
    let query = step.texts("tables")?.into_iter().fold(ChangesQuery::new(), ChangesQuery::table);
    let query = step.number_maybe("since_tx")?.into_iter().fold(query, ChangesQuery::since_tx);
    let query = step.number_maybe("until_tx")?.into_iter().fold(query, ChangesQuery::until_tx);
    let query = step.signed_maybe("from_time_us")?.into_iter().fold(query, ChangesQuery::from_time_us);
    let query = step.signed_maybe("to_time_us")?.into_iter().fold(query, ChangesQuery::to_time_us);
    let query = step.text_maybe("branch")?.into_iter().fold(query, ChangesQuery::branch);
    Ok(step.number_maybe("limit")?.into_iter().fold(query, |query, limit| query.limit(limit as usize)))
}
