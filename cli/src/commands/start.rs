//! Where a branch or tag starts, in the words that SQL's AT takes.

use armillaria::{At, Database};

use crate::failure::{Failure, Outcome};

/// `tag:NAME`, `branch:NAME`, `tx:N`, or a name: a branch wins, then a tag. Absent: the head of the current branch.
pub(super) fn find(database: &Database, text: Option<&str>) -> Outcome<At> {
    let Some(text) = text else { return Ok(At::head()) };
    match text.split_once(':') {
        Some(("tag", tag)) => Ok(At::tag(tag)),
        Some(("branch", branch)) => Ok(At::branch(branch)),
        Some(("tx", number)) => transaction(number),
        _ => name(database, text),
    }
}

fn transaction(number: &str) -> Outcome<At> {
    let tx_id = number.parse().map_err(|_| Failure::Usage(format!("{number:?} is not a transaction number")))?;
    Ok(At::tx(tx_id))
}

fn name(database: &Database, name: &str) -> Outcome<At> {
    let is_branch = database.list_branches()?.iter().any(|branch| branch.name == name);
    let is_tag = !is_branch && database.list_tags()?.iter().any(|tag| tag.name == name);
    Ok(if is_tag { At::tag(name) } else { At::branch(name) })
}
