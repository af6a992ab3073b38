//! DuckDB's words about a statement, with tables in place of the views that stand for them. Pure.

use super::quote;

/// The views of a statement, and the tables that they stand for as it writes them.
#[derive(Debug, Default)]
pub(super) struct Naming(Vec<(String, String)>);

impl Naming {
    pub(super) fn add(&mut self, view: String, table: String) {
        self.0.push((view, table));
    }

    /// A text with the names of tables.
    pub(super) fn in_words(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (view, table)| {
            let (quoted, name) = (quote::identifier(view), quote::where_needed(table));
            text.replace(&format!("{quoted} AS {name}"), &name).replace(&quoted, &name).replace(view, table)
        })
    }

    /// The message of an error, which may show a line of the text with a mark below.
    pub(super) fn explain(&self, message: &str) -> String {
        let Some((words, line, mark)) = split_line(message).filter(|_| !self.0.is_empty()) else {
            return self.in_words(message);
        };
        // A line that was cut may hold a part of a name.
        if line.contains("...") {
            return self.in_words(words);
        }
        let before: String = line.chars().take(mark.chars().count() - 1).collect();
        let blanks = " ".repeat(self.in_words(&before).chars().count());
        format!("{}\n\n{}\n{blanks}^", self.in_words(words), self.in_words(line))
    }
}

/// Splits off `LINE 1: …` and the mark `    ^`.
fn split_line(message: &str) -> Option<(&str, &str, &str)> {
    let at = message.rfind("\n\nLINE ")?;
    let (line, mark) = message[at + 2..].split_once('\n')?;
    mark.ends_with('^').then_some((&message[..at], line, mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_marks_are_those_of_the_users_text() {
        let mut naming = Naming::default();
        naming.add("users@2 0123".into(), "users".into());
        naming.add("A b@1 4567".into(), "A b".into());
        let given =
            "Error: no \"users@2 0123\"\n\nLINE 1: FROM \"users@2 0123\" AS users, \"A b@1 4567\" AS c WHERE x\n";
        let mark = format!("{}^", " ".repeat(given.lines().last().unwrap().len() - 1));
        let line = "LINE 1: FROM users, \"A b\" AS c WHERE x";
        let expected = format!("Error: no users\n\n{line}\n{}^", " ".repeat(line.len() - 1));
        assert_eq!(naming.explain(&format!("{given}{mark}")), expected);
        assert_eq!(naming.explain("Error: x\n\nLINE 1: ...s@2 0123\" AS users\n        ^"), "Error: x");
        assert_eq!(naming.explain("nothing of users@2 0123"), "nothing of users");
        let none = Naming::default();
        assert_eq!(none.explain("Error: x\n\nLINE 1: ...y\n        ^"), "Error: x\n\nLINE 1: ...y\n        ^");
    }
}
