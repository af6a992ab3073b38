//! Figure e: creating a branch.

use armillaria::{At, BeginOptions, Database};

use crate::context::Context;
use crate::report::{Goal, Line, Unit};
use crate::{Result, data, timing};

const ROUNDS: usize = 200;
const TABLES: usize = 10_000;

pub(super) fn measure(context: &Context) -> Result<Vec<Line>> {
    let directories = [context.scratch()?, context.scratch()?];
    let many = with_tables(&context.open(directories[0].path())?, context.scaled(TABLES))?;
    let one = with_tables(&context.open(directories[1].path())?, 1)?;
    let create = |database: &Database, made: &mut usize| {
        *made += 1;
        let name = format!("branch-{made}");
        let created = context.time(|| Ok(database.create_branch(&name, &At::head(), None)?));
        Ok(created?.0)
    };
    let (mut many_made, mut one_made) = (0, 0);
    let mut create_many = || create(&many, &mut many_made);
    let mut create_one = || create(&one, &mut one_made);
    let [many, one] = timing::in_turn(context.scaled(ROUNDS), [&mut create_many, &mut create_one])?;
    Ok(vec![
        Line::ratio("10,000 tables / one table", many.median(), one.median(), Unit::Seconds, Goal::Most(1.5)),
        Line {
            compared: "10,000 tables, absolute".to_string(),
            ours: Unit::Seconds.show(many.median()),
            theirs: String::new(),
            value: many.median() * 1e3,
            goal: Goal::Units(2.0, " ms"),
        },
    ])
}

/// Makes so many tables in one transaction.
fn with_tables(database: &Database, tables: usize) -> Result<Database> {
    let transaction = database.begin(&BeginOptions::default())?;
    for number in 0..tables {
        transaction.create_table(&format!("table {number}"), &data::schema(), &[])?;
    }
    transaction.commit(None)?;
    Ok(database.clone())
}
