//! A statement's text with holes where it names tables.

use super::lexer;
use super::quote;
use super::references::Reference;

/// A statement's text with a hole for each table reference.
#[derive(Debug)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    /// The reference of this index; it has no alias of its own if `bare`.
    Table {
        index: usize,
        bare: bool,
    },
}

/// What fills a hole.
#[derive(Clone, Debug)]
pub(super) struct Filling {
    /// The view, or whatever else to read.
    pub(super) relation: String,
    /// The name by which the rest of the statement knows it if it gives it none.
    pub(super) alias: String,
}

impl Template {
    /// Cuts the names of tables and their `AT` clauses out of the user's own text, so that everything else of it stays;
    /// `None` where they are not found at a glance.
    pub(super) fn cut(sql: &str, references: &[Reference]) -> Option<Template> {
        let mut order: Vec<usize> = (0..references.len()).collect();
        order.sort_by_key(|index| references[*index].location);
        let (mut pieces, mut done) = (Vec::new(), 0);
        for index in order {
            let reference = &references[index];
            let name = sql.get(reference.location..)?;
            let behind = lexer::after_name(name)?;
            pieces.push(Piece::Text(sql.get(done..reference.location)?.to_owned()));
            pieces.push(Piece::Table { index, bare: reference.alias.is_none() });
            done = sql.len() - behind.len();
            if reference.has_at {
                let (alias, end) = cut_at(behind, reference.alias.is_some())?;
                pieces.push(Piece::Text(alias.to_owned()));
                done = sql.len() - end.len();
            }
        }
        pieces.push(Piece::Text(sql.get(done..)?.to_owned()));
        Some(Template { pieces })
    }

    /// Finds the holes in a text where table `i` is written as `names[i]`, with an alias always.
    pub(super) fn find(mut sql: &str, names: &[String]) -> Option<Template> {
        let quoted: Vec<String> = names.iter().map(|name| quote::identifier(name)).collect();
        let mut pieces = Vec::new();
        while let Some((at, index)) = quoted.iter().enumerate().filter_map(|(i, name)| Some((sql.find(name)?, i))).min()
        {
            pieces.push(Piece::Text(sql[..at].to_owned()));
            pieces.push(Piece::Table { index, bare: false });
            sql = &sql[at + quoted[index].len()..];
        }
        pieces.push(Piece::Text(sql.to_owned()));
        (pieces.len() == 2 * names.len() + 1).then_some(Template { pieces })
    }

    /// The text with its holes filled.
    pub(super) fn fill(&self, fillings: &[Filling]) -> String {
        let mut sql = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => sql += text,
                Piece::Table { index, bare } => {
                    let filling = &fillings[*index];
                    sql += &quote::identifier(&filling.relation);
                    if *bare {
                        sql += " AS ";
                        sql += &quote::identifier(&filling.alias);
                    }
                }
            }
        }
        sql
    }
}

/// Splits ` [AS alias[(columns)]] AT (…) rest` into the alias as written and the rest.
fn cut_at(behind: &str, has_alias: bool) -> Option<(&str, &str)> {
    let mut rest = behind;
    if has_alias {
        rest = lexer::after_word(rest, "as").unwrap_or(rest);
        rest = lexer::after_name(lexer::after_blanks(rest))?;
        rest = lexer::after_brackets(rest).unwrap_or(rest);
    }
    let alias = &behind[..behind.len() - rest.len()];
    let end = lexer::after_brackets(lexer::after_word(rest, "at")?)?;
    Some((alias, end))
}
