//! As much of SQL's spelling as is needed to find words in a statement: blanks, comments, strings, names, brackets.
//!
//! Nothing rests on it alone: what is found here is handed to DuckDB's parser, whose answer counts.

/// Splits `EXPLAIN`, with its options, off a statement; empty if the statement is no EXPLAIN.
///
/// The first part is fit to stand before any SELECT.
pub(super) fn split_explain(sql: &str) -> (String, &str) {
    let rest = match after_word(sql, "explain") {
        Some(rest) => rest,
        None => return (String::new(), sql),
    };
    if let Some(rest) = after_word(rest, "analyze").or_else(|| after_word(rest, "analyse")) {
        return ("EXPLAIN ANALYZE ".to_owned(), rest);
    }
    match explain_options(rest) {
        Some((options, rest)) => (format!("EXPLAIN ({options}) "), rest),
        None => ("EXPLAIN ".to_owned(), rest),
    }
}

/// The options in brackets, as in `EXPLAIN (ANALYZE, FORMAT json) SELECT …`; not the bracket of a SELECT.
fn explain_options(sql: &str) -> Option<(&str, &str)> {
    let (options, rest) = after_blanks(sql).strip_prefix('(')?.split_once(')')?;
    let plain = options.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '_'));
    let known = ["analyze", "format"].iter().any(|word| after_word(options, word).is_some());
    (plain && known).then_some((options, rest))
}

/// Where the first `;` outside quotes and comments is; `None` if the text ends before, be it inside a quote.
pub fn statement_end(sql: &str) -> Option<usize> {
    let mut rest = sql;
    loop {
        rest = after_blanks(rest);
        rest = match rest.chars().next()? {
            ';' => return Some(sql.len() - rest.len()),
            quote @ ('"' | '\'') => after_quoted(rest, quote)?,
            'e' | 'E' if rest[1..].starts_with('\'') => after_escaped(&rest[1..])?,
            '$' => match dollar_tag(rest) {
                Some(tag) => rest[tag.len()..].split_once(tag)?.1,
                None => &rest[1..],
            },
            first => &rest[word_length(rest).max(first.len_utf8())..],
        };
    }
}

/// Whether a text holds nothing but blanks and comments.
pub fn is_blank(sql: &str) -> bool {
    after_blanks(sql).is_empty()
}

/// The first word of a statement in upper case.
pub(super) fn first_word(sql: &str) -> String {
    let sql = after_blanks(sql);
    sql[..word_length(sql)].to_ascii_uppercase()
}

/// What follows `word`, if the text begins with it in any case.
pub(super) fn after_word<'a>(sql: &'a str, word: &str) -> Option<&'a str> {
    let sql = after_blanks(sql);
    let (first, rest) = sql.split_at(word_length(sql));
    first.eq_ignore_ascii_case(word).then_some(rest)
}

/// The text behind a name: a word, or anything in double or single quotes.
pub(super) fn after_name(sql: &str) -> Option<&str> {
    match sql.chars().next()? {
        quote @ ('"' | '\'') => after_quoted(sql, quote),
        _ => Some(&sql[word_length(sql)..]).filter(|rest| rest.len() < sql.len()),
    }
}

/// The text behind a bracket that closes the one that the text begins with, blanks before it left out.
pub(super) fn after_brackets(sql: &str) -> Option<&str> {
    let mut rest = after_blanks(sql);
    let mut depth = 0usize;
    loop {
        rest = match rest.chars().next()? {
            '(' => {
                depth += 1;
                &rest[1..]
            }
            ')' if depth == 1 => return Some(&rest[1..]),
            ')' => {
                depth = depth.checked_sub(1)?;
                &rest[1..]
            }
            quote @ ('"' | '\'') if depth > 0 => after_quoted(rest, quote)?,
            other if depth > 0 => &rest[other.len_utf8()..],
            _ => return None,
        };
        rest = after_blanks(rest);
    }
}

/// The text without the blanks and comments that it begins with.
pub(super) fn after_blanks(mut sql: &str) -> &str {
    loop {
        let trimmed = sql.trim_start();
        sql = match trimmed.as_bytes() {
            [b'-', b'-', ..] => trimmed.find('\n').map_or("", |end| &trimmed[end..]),
            [b'/', b'*', ..] => after_comment(trimmed),
            _ => return trimmed,
        };
    }
}

/// Behind a `/* … */` comment; they nest.
fn after_comment(sql: &str) -> &str {
    let (bytes, mut depth, mut at) = (sql.as_bytes(), 0usize, 0usize);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return &sql[at + 2..],
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    ""
}

fn after_quoted(sql: &str, quote: char) -> Option<&str> {
    let mut rest = &sql[1..];
    loop {
        rest = &rest[rest.find(quote)? + 1..];
        match rest.strip_prefix(quote) {
            Some(doubled) => rest = doubled,
            None => return Some(rest),
        }
    }
}

/// Behind the `'…\'…'` of an `E'…'`.
fn after_escaped(sql: &str) -> Option<&str> {
    let mut letters = sql.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '\'' if letters.next_if(|(_, next)| *next == '\'').is_none() => return Some(&sql[at + 1..]),
            _ => {}
        }
    }
    None
}

/// The `$$` or `$tag$` that a text begins with; not the `$1` of a parameter.
fn dollar_tag(sql: &str) -> Option<&str> {
    let name = &sql[1..];
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let is_tag = name[end..].starts_with('$') && !name.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| &sql[..end + 2])
}

fn word_length(sql: &str) -> usize {
    let end = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii());
    sql.find(end).unwrap_or(sql.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explain_is_split_off_with_its_options() {
        let cases = [
            ("SELECT 1", "", "SELECT 1"),
            (" -- x\n explain/* y /* z */ */ select 1", "EXPLAIN ", "/* y /* z */ */ select 1"),
            ("Explain Analyze\nSELECT 1", "EXPLAIN ANALYZE ", "\nSELECT 1"),
            ("EXPLAIN (ANALYZE, FORMAT json) SELECT 1", "EXPLAIN (ANALYZE, FORMAT json) ", " SELECT 1"),
            ("EXPLAIN (SELECT 1)", "EXPLAIN ", " (SELECT 1)"),
            ("EXPLAIN (ANALYZE) COPY x TO 'y'", "EXPLAIN (ANALYZE) ", " COPY x TO 'y'"),
            ("explained", "", "explained"),
        ];
        for (sql, explain, rest) in cases {
            assert_eq!(split_explain(sql), (explain.to_owned(), rest), "{sql}");
        }
    }

    #[test]
    fn a_statement_ends_outside_quotes_and_comments() {
        for sql in ["SELECT ';' /* ; /* ; */ ; */", "\";\"", "E'\\';'", "e'a'';'", "$$;$$", "$t$;$$;$t$", "-- ;\n1"] {
            assert_eq!(statement_end(sql), None, "{sql}");
            assert_eq!(statement_end(&format!("{sql}\n; 2;")), Some(sql.len() + 1), "{sql}");
        }
        assert_eq!(statement_end("like'\\';"), Some(7), "a word before a quote is no E");
        assert_eq!(statement_end("$1;"), Some(2));
        assert_eq!(statement_end("größe;"), Some("größe".len()));
        assert_eq!(statement_end("'open;"), None);
        assert!(is_blank(" -- a\n /* b */ ") && !is_blank("-- a\n1"));
    }

    #[test]
    fn names_and_brackets_end_where_they_end() {
        assert_eq!(after_name("\"a \"\" b\" c"), Some(" c"));
        assert_eq!(after_name("größe.x"), Some(".x"));
        assert_eq!(after_name("'x.csv')"), Some(")"));
        assert_eq!(after_name("\"a"), None);
        assert_eq!(after_brackets(" (a, ')', \"(\", (b) /* ) */ -- )\n ) rest"), Some(" rest"));
        assert_eq!(after_brackets("(a"), None);
        assert_eq!(after_brackets("a)"), None);
        assert_eq!(first_word("/* a */ insert into"), "INSERT");
    }
}
