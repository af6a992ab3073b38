//! Colours, on a terminal only, and never with `NO_COLOR`.

use std::io::IsTerminal;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    coloured: bool,
}

impl Style {
    /// Colours for one stream: yes on a terminal, unless the environment asks for none.
    pub(crate) fn of(stream: &impl IsTerminal) -> Style {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Style { coloured: stream.is_terminal() && !forbidden && !dumb }
    }

    /// No colours.
    pub(crate) const fn plain() -> Style {
        Style { coloured: false }
    }

    /// Whether it colours at all.
    pub(crate) const fn is_coloured(self) -> bool {
        self.coloured
    }

    /// Red and bold.
    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// Green.
    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Bold.
    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Grey.
    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// One of six colours, for things that are told apart by number.
    pub(crate) fn numbered(self, number: usize, text: &str) -> String {
        const COLOURS: [&str; 6] = ["33", "36", "35", "34", "32", "31"];
        self.paint(COLOURS[number % COLOURS.len()], text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.into() }
    }
}
