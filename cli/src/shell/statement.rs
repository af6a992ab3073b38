//! Where SQL statements end: at a `;` outside quotes and comments.

/// The complete statements of a text, without their `;`, and what comes after the last.
pub(crate) fn split_statements(text: &str) -> (Vec<&str>, &str) {
    let (mut statements, mut rest) = (Vec::new(), text);
    while let Some(end) = end_of_statement(rest) {
        statements.push(rest[..end].trim());
        rest = &rest[end + 1..];
    }
    statements.retain(|statement| !is_blank(statement));
    (statements, rest.trim())
}

/// Where the first `;` outside quotes and comments is.
fn end_of_statement(text: &str) -> Option<usize> {
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter == ';' {
            return Some(text.len() - rest.len());
        }
        rest = skip_token(rest, letter);
    }
    None
}

/// Whether a text holds nothing but space and comments.
pub(crate) fn is_blank(text: &str) -> bool {
    let text = text.trim_start();
    match skip_comment(text) {
        Some(rest) => is_blank(rest),
        None => text.is_empty(),
    }
}

/// What follows a quoted text, a comment, or else one letter.
fn skip_token(text: &str, letter: char) -> &str {
    let after = &text[letter.len_utf8()..];
    match letter {
        '\'' | '"' => after.find(letter).map_or("", |end| &after[end + 1..]),
        '$' => skip_dollar_quote(text).unwrap_or(after),
        _ => skip_comment(text).unwrap_or(after),
    }
}

/// `$$ … $$` or `$tag$ … $tag$`.
fn skip_dollar_quote(text: &str) -> Option<&str> {
    let tag_end = text[1..].find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))? + 1;
    let tag = text[..=tag_end].strip_suffix('$').map(|_| &text[..=tag_end])?;
    let body = &text[tag.len()..];
    Some(body.find(tag).map_or("", |end| &body[end + tag.len()..]))
}

fn skip_comment(text: &str) -> Option<&str> {
    if let Some(comment) = text.strip_prefix("--") {
        return Some(comment.find('\n').map_or("", |end| &comment[end..]));
    }
    let comment = text.strip_prefix("/*")?;
    Some(comment.find("*/").map_or("", |end| &comment[end + 2..]))
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
            "SELECT $$;$$",
            "SELECT $a$;$$;$a$",
        ] {
            assert_eq!(split_statements(text), (vec![], text), "{text}");
            let ended = format!("{text}\n;");
            assert_eq!(split_statements(&ended), (vec![text], ""), "{text}");
        }
        assert_eq!(split_statements("SELECT $1; SELECT 2;").0.len(), 2, "a parameter is no quote");
        assert_eq!(split_statements("SELECT 'open;").0.len(), 0);
    }

    #[test]
    fn comments_alone_are_blank() {
        assert!(is_blank(" -- nothing\n /* at all */ "));
        assert!(!is_blank("-- one\nSELECT 1"));
    }
}
