//! The SQL shell: history, completion, statements over several lines, and commands that begin with a dot.

mod complete;
mod dot;
mod statement;

use std::io::{self, Write};
use std::path::PathBuf;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};

use crate::commands::sql::Session;
use crate::failure::{Failure, Outcome};
use crate::style::Style;
use complete::Words;
use dot::Answer;
pub(crate) use statement::{is_blank, split_statements};

const HISTORY_LINES: usize = 10_000;

/// Runs the shell until the user leaves it.
pub(crate) fn run(session: Session) -> Outcome {
    let mut shell = Shell { editor: editor(&session)?, session, timing: false, history: history_file() };
    shell.greet()?;
    if let Some(path) = &shell.history
        && path.exists()
        && let Err(error) = shell.editor.load_history(path)
    {
        tracing::warn!(%error, "the history could not be read");
    }
    let result = shell.read_and_answer();
    shell.save_history();
    result
}

struct Shell {
    editor: Editor<Words, FileHistory>,
    session: Session,
    timing: bool,
    history: Option<PathBuf>,
}

fn editor(session: &Session) -> Outcome<Editor<Words, FileHistory>> {
    let config = Config::builder().max_history_size(HISTORY_LINES).map_err(terminal)?.auto_add_history(true).build();
    let mut editor = Editor::with_config(config).map_err(terminal)?;
    editor.set_helper(Some(Words::of(&session.database, &session.at)?));
    Ok(editor)
}

fn terminal(error: ReadlineError) -> Failure {
    Failure::Output(io::Error::other(error))
}

/// `armillaria/history` below the user's folder for state; nothing is kept where there is no such folder.
fn history_file() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("armillaria/history"))
}

impl Shell {
    fn greet(&self) -> Outcome {
        let style = self.session.output.style();
        let branch = self.session.database.current_branch()?;
        let mut out = io::stdout().lock();
        writeln!(out, "{} on branch {branch}", style.strong(concat!("armillaria ", env!("CARGO_PKG_VERSION"))))?;
        Ok(writeln!(out, "{}", style.faint("statements end with ; — .help shows the commands, Ctrl-D leaves"))?)
    }

    fn read_and_answer(&mut self) -> Outcome {
        loop {
            let prompt = format!("{}> ", self.session.database.current_branch()?);
            match self.editor.readline(&prompt) {
                Ok(line) => {
                    if self.answer(&line)? == Answer::Leave {
                        return Ok(());
                    }
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(terminal(error)),
            }
        }
    }

    /// Answers what was typed; only an output that is gone ends the shell.
    fn answer(&mut self, text: &str) -> Outcome<Answer> {
        let answered = match text.trim().strip_prefix('.') {
            Some(command) => self.dot_command(command),
            None => self.statements(text).map(|()| Answer::Stay),
        };
        match answered {
            Err(Failure::Output(error)) => Err(Failure::Output(error)),
            Err(failure) => {
                failure.report(&mut io::stderr(), false, Style::of(&io::stderr()))?;
                Ok(Answer::Stay)
            }
            Ok(answer) => Ok(answer),
        }
    }

    fn statements(&self, text: &str) -> Outcome {
        let (statements, rest) = split_statements(text);
        let last = if is_blank(rest) { None } else { Some(rest) };
        statements.into_iter().chain(last).try_for_each(|statement| self.statement(statement))
    }

    fn statement(&self, statement: &str) -> Outcome {
        let stopwatch = crate::clock::Stopwatch::start();
        self.session.print(statement, &[])?;
        if self.timing {
            writeln!(io::stdout(), "{}", self.session.output.style().faint(&stopwatch.elapsed_text()))?;
        }
        Ok(())
    }

    fn save_history(&mut self) {
        let Some(path) = &self.history else { return };
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let saved = folder.map_err(ReadlineError::from).and_then(|()| self.editor.save_history(path));
        if let Err(error) = saved {
            tracing::warn!(%error, path = %path.display(), "the history could not be kept");
        }
    }
}
