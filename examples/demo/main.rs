//! The demonstration: a year of real flights through everything that Armillaria does. Run it with `make demo`.
//!
//! It works in a temporary folder and leaves nothing behind. Commands are run as a user would type them; what the command
//! line does not offer (transactions over several tables) goes through the library.

mod flights;
mod stage;

use std::error::Error;
use std::path::PathBuf;

use armillaria::{BeginOptions, Database, OpenOptions, Transaction, WriteMode};
use arrow::array::RecordBatchReader;

use stage::Stage;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What tells one flight from another.
const FLIGHT_KEY: &str = "time_hour,carrier,flight,origin,dest";

fn main() -> Outcome {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(program), Some(data)) = (arguments.next(), arguments.next()) else {
        return Err("usage: demo PATH_OF_ARMILLARIA PATH_OF_DATA".into());
    };
    let mut stage = Stage::new(program, data)?;
    let subscriber = stage.subscribe()?;
    five_tables(&mut stage)?;
    twelve_months(&mut stage)?;
    questions(&mut stage)?;
    correction(&mut stage)?;
    merge(&mut stage)?;
    transactions(&mut stage)?;
    stage.heading("The subscriber saw it all")?;
    let (seen, latest) = subscriber.finish(&stage)?;
    stage.say(&format!(
        "A process that ran `armillaria watch --since 0 --json` all the while saw {seen} of {latest} transactions."
    ))?;
    damage(&mut stage)?;
    closing(&mut stage)
}

fn five_tables(stage: &mut Stage) -> Outcome {
    stage.heading("Five tables in one transaction")?;
    stage.say("Airlines, airports, planes, weather and (still empty) flights appear together, or not at all.")?;
    stage.code("let tx = db.begin(&BeginOptions::default())?;\nfor name in [\"airlines\", \"airports\", \"planes\", \"weather\"] { tx.write_table(name, parquet(name)?, WriteMode::Overwrite)?; }\ntx.create_table(\"flights\", &flights_schema, &[])?;\ntx.commit(Some(\"The five tables\"))?;")?;
    let (database, data) = (open(stage)?, stage.data().to_path_buf());
    let commit = stage.timed("five tables, one transaction", || {
        let transaction = database.begin(&BeginOptions::default())?;
        for name in ["airlines", "airports", "planes", "weather"] {
            transaction.write_table(name, flights::parquet(&data, name)?, WriteMode::Overwrite)?;
        }
        transaction.create_table("flights", &flights::parquet(&data, "flights")?.schema(), &[])?;
        Ok(transaction.commit(Some("The five tables"))?)
    })?;
    stage.say(&format!("Transaction {} brought {} tables.", commit.tx_id, commit.tables.len()))?;
    stage.run(&["tables"])
}

fn twelve_months(stage: &mut Stage) -> Outcome {
    stage.heading("Twelve months, twelve commits")?;
    let deliveries = flights::split_by_month(stage.data(), stage.folder())?;
    for (file, month) in deliveries.iter().zip(MONTHS) {
        let message = format!("{month} 2013");
        stage.run_quietly(&["import", "flights", file, "--mode", "append", "-m", &message])?;
    }
    stage.run(&["tag", "first-quarter", "tx:4"])?;
    stage.run(&["history", "flights"])
}

fn questions(stage: &mut Stage) -> Outcome {
    stage.heading("The same question, now and as of March")?;
    let question = "SELECT name, count(*) AS flights, round(avg(dep_delay), 1) AS delay \
         FROM flights {AT} JOIN airlines USING (carrier) GROUP BY name ORDER BY flights DESC LIMIT 3";
    stage.run(&["sql", &question.replace("{AT} ", "")])?;
    stage.run(&["sql", &question.replace("{AT}", "AT (VERSION => 4)")])?;
    stage.say("Both at once: what did the rest of the year add?")?;
    stage.run(&[
        "sql",
        "SELECT (SELECT count(*) FROM flights) AS year, (SELECT count(*) FROM flights AT (VERSION => 'first-quarter')) AS first_quarter",
    ])
}

fn correction(stage: &mut Stage) -> Outcome {
    stage.heading("A branch that corrects data")?;
    stage.say("On 8 March it snowed, and the delays of carrier EV were booked an hour too high. Let us put that right, aside.")?;
    stage.run(&["checkout", "-b", "fix-snow"])?;
    let statement = "SELECT * REPLACE (CASE WHEN month = 3 AND day = 8 AND carrier = 'EV' THEN dep_delay - 60 ELSE dep_delay END AS dep_delay) FROM flights";
    stage.run(&["sql", statement, "--output", "corrected.parquet"])?;
    stage.run(&["import", "flights", "corrected.parquet", "-m", "EV left an hour earlier on 8 March"])?;
    stage.say("Chunks that no corrected row touches were not written again. What differs?")?;
    stage.run(&["diff", "fix-snow", "main"])?;
    stage.run(&["diff", "flights", "13", "14", "--key", FLIGHT_KEY])
}

fn merge(stage: &mut Stage) -> Outcome {
    stage.heading("Meanwhile main moves on, and the two are merged")?;
    stage.run(&["checkout", "main"])?;
    std::fs::write(stage.folder().join("airlines.csv"), "carrier,name\nZZ,Zeppelin Air\n")?;
    stage.run(&["import", "airlines", "airlines.csv", "--mode", "append", "-m", "A new airline"])?;
    stage.run(&["merge", "fix-snow", "--dry-run"])?;
    stage.run(&["merge", "fix-snow", "-m", "Take the corrected delays"])?;
    stage.run(&["log", "--limit", "8"])
}

fn transactions(stage: &mut Stage) -> Outcome {
    stage.heading("Two tables change together, or not at all")?;
    let database = open(stage)?;
    stage.code("let tx = db.begin(&BeginOptions::default())?;   // planes and airlines, emptied\ntx.rollback()?;")?;
    let before = totals(&database)?;
    let transaction = empty_two_tables(&database)?;
    stage.say(&format!("Inside the transaction: {}. Outside: {}.", inside(&transaction)?, totals(&database)?))?;
    transaction.rollback()?;
    assert_same(&before, &totals(&database)?)?;
    stage.say(&format!("Rolled back: {before}."))?;
    stage.code("… the same again, and\ntx.commit(Some(\"Retire everything\"))?;")?;
    let commit = stage
        .timed("two tables, one transaction", || Ok(empty_two_tables(&database)?.commit(Some("Retire everything"))?))?;
    stage.say(&format!("Committed as transaction {}: {}. Nothing is lost:", commit.tx_id, totals(&database)?))?;
    stage.run(&["revert", &commit.tx_id.to_string(), "-m", "That was too much"])?;
    assert_same(&before, &totals(&database)?)
}

fn empty_two_tables(database: &Database) -> Outcome<Transaction> {
    let transaction = database.begin(&BeginOptions::default())?;
    for name in ["airlines", "planes"] {
        let nothing = flights::no_rows(transaction.read_table(name, None)?.schema());
        transaction.write_table(name, nothing, WriteMode::Overwrite)?;
    }
    Ok(transaction)
}

const TOTALS: &str =
    "SELECT (SELECT count(*) FROM airlines) || ' airlines, ' || (SELECT count(*) FROM planes) || ' planes'";

fn totals(database: &Database) -> Outcome<String> {
    flights::one_text(database.query(TOTALS, &[], &armillaria::At::head())?)
}

fn inside(transaction: &Transaction) -> Outcome<String> {
    flights::one_text(transaction.query(TOTALS, &[])?)
}

fn assert_same(before: &str, after: &str) -> Outcome {
    if before == after { Ok(()) } else { Err(format!("{before} became {after}").into()) }
}

fn damage(stage: &mut Stage) -> Outcome {
    stage.heading("One bit flips, on a copy")?;
    let copy = stage.copy_repository()?;
    let chunk = flights::flip_a_bit(&copy)?;
    stage.say(&format!("In the copy, a bit of {} is flipped. Does anybody notice?", chunk.display()))?;
    stage.run_failing(&["verify", "--deep", "-C", "copy"])?;
    stage.say("The original is whole:")?;
    stage.run(&["verify", "--deep"])
}

fn closing(stage: &mut Stage) -> Outcome {
    stage.heading("What it cost")?;
    stage.run(&["stats"])?;
    stage.times()
}

fn open(stage: &Stage) -> Outcome<Database> {
    let options = OpenOptions { create: false, author: Some("demo".into()), ..OpenOptions::default() };
    Ok(Database::open(stage.repository(), options)?)
}
