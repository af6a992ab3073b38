//! Figure g: verifying every byte.

use std::process::{Command, Stdio};

use super::versions;
use crate::context::{Context, files};
use crate::report::{Goal, Line, Unit};
use crate::worker::verify_deep;
use crate::{Result, timing};

const ROUNDS: usize = 15;

pub(super) fn measure(context: &Context) -> Result<Vec<Line>> {
    let directory = context.scratch()?;
    versions::write(context, directory.path())?.close();
    let files = files(directory.path())?;
    let mut ours = || verify_deep(directory.path());
    let mut theirs = || {
        let mut command = Command::new(&context.b3sum);
        command.args(files.iter().map(|(path, _)| path)).stdout(Stdio::null());
        let (took, status) = context.time(|| Ok(command.status()?))?;
        if status.success() { Ok(took) } else { Err(format!("b3sum ended with {status}").into()) }
    };
    timing::in_turn(1, [&mut ours, &mut theirs])?; // the page cache is warm from here on
    let [ours, theirs] = timing::in_turn(ROUNDS, [&mut ours, &mut theirs])?;
    Ok(vec![Line::ratio("verify --deep / b3sum", ours.best(), theirs.best(), Unit::Seconds, Goal::Most(1.5))])
}
