//! Where SQL statements end: at a `;` outside quotes and comments.

pub(crate) use armillaria::sql::is_blank;
use armillaria::sql::statement_end;

/// The complete statements of a text, without their `;`, and what comes after the last.
pub(crate) fn split_statements(text: &str) -> (Vec<&str>, &str) {
    let (mut statements, mut rest) = (Vec::new(), text);
    while let Some(end) = statement_end(rest) {
        statements.push(rest[..end].trim());
        rest = &rest[end + 1..];
    }
    statements.retain(|statement| !is_blank(statement));
    (statements, rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons() {
        assert_eq!(split_statements("SELECT 1; SELECT 2"), (vec!["SELECT 1"], "SELECT 2"));
        assert_eq!(split_statements(" ;; SELECT 1 ;\n"), (vec!["SELECT 1"], ""));
        assert_eq!(split_statements("ä;ö;"), (vec!["ä", "ö"], ""));
    }

    #[test]
    fn quotes_and_comments_hide_semicolons() {
        for text in [
            "SELECT ';'",
            "SELECT 'it''s;'",
            "SELECT \";\"",
            "SELECT 1 -- ;",
            "SELECT 1 /* ; */",
            "SELECT 1 /* a /* ; */ ; */",
            "SELECT E'it\\'s;'",
            "SELECT e';\\\\'",
            "SELECT $$;$$",
            "SELECT $a$;$$;$a$",
        ] {
            assert_eq!(split_statements(text), (vec![], text), "{text}");
            let ended = format!("{text}\n;");
            assert_eq!(split_statements(&ended), (vec![text], ""), "{text}");
        }
        assert_eq!(split_statements("SELECT $1; SELECT 2;").0.len(), 2, "a parameter is no quote");
        assert_eq!(split_statements("SELECT one'a\\'; SELECT 2;").0.len(), 2, "one is no E");
        assert_eq!(split_statements("SELECT 'open;").0.len(), 0);
    }

    #[test]
    fn comments_alone_are_blank() {
        assert!(is_blank(" -- nothing\n /* at all */ "));
        assert!(!is_blank("-- one\nSELECT 1"));
    }
}
