//! Puts what cbindgen wrote in order. Pure: text in, text out.

use crate::sections::{Places, SECTIONS};

const BANNER: &str = include_str!("banner.h");
/// Written by hand: cbindgen has no words for a function with a body.
const STRING: &str = include_str!("string.h");

const OPENING: &str = "\
#ifndef ARMILLARIA_H
#define ARMILLARIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include \"armillaria/arrow_c_abi.h\"

#ifdef __cplusplus
extern \"C\" {
#endif
";

const CLOSING: &str = "
#ifdef __cplusplus
}  /* extern \"C\" */
#endif

#endif  /* ARMILLARIA_H */
";

/// The header: items of cbindgen's, brought into the order of their places.
pub(crate) fn header(translated: &str, places: &Places) -> Result<String, String> {
    let mut items: Vec<((usize, usize), &str)> = Vec::new();
    for block in translated.split("\n\n").map(str::trim).filter(|block| !is_frame(block)) {
        let name = name(block).ok_or_else(|| format!("cannot tell what this declares:\n{block}"))?;
        let place = places.get(name).ok_or_else(|| format!("{name} stands in no file that is a section"))?;
        items.push((*place, block));
    }
    if items.len() != places.len() {
        return Err(format!("{} public items, of which cbindgen translated {}", places.len(), items.len()));
    }
    items.sort_unstable();
    let sections = SECTIONS.iter().enumerate().map(|(section, (_, title))| {
        let blocks = items.iter().filter(|((place, _), _)| *place == section);
        let blocks: Vec<String> = blocks.map(|(_, block)| tidy(block)).collect();
        let helper = if *title == "Strings" { format!("\n{STRING}") } else { String::new() };
        format!("\n{}\n\n{}\n{helper}", heading(title), blocks.join("\n\n"))
    });
    Ok([BANNER, OPENING].into_iter().map(str::to_string).chain(sections).chain([CLOSING.to_string()]).collect())
}

/// Whether a block is part of the frame, which this tool writes itself.
fn is_frame(block: &str) -> bool {
    block.is_empty() || block.starts_with("#ifdef __cplusplus") || block.starts_with("#endif")
}

/// What a block declares.
fn name(block: &str) -> Option<&str> {
    const STARTS: [&str; 3] = ["#define ", "enum ", "typedef struct "];
    let line = declaration(block);
    let function = || line.find("armillaria_").map(|at| &line[at..]);
    let rest = STARTS.iter().find_map(|start| line.strip_prefix(start)).or_else(function)?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

/// The first line of a block that is no comment.
fn declaration(block: &str) -> &str {
    let line = block.lines().find(|line| !["/**", " *"].iter().any(|comment| line.starts_with(comment)));
    line.unwrap_or_default()
}

/// Leaves out `struct` where there is a typedef, the middle word of parameters' kinds, lines of short comments, and all
/// that is not ASCII, which some compilers read as something else.
fn tidy(block: &str) -> String {
    let block = block.replace("ARMILLARIA_PARAMETER_KIND_", "ARMILLARIA_PARAMETER_").replace('…', "...");
    let block =
        block.replace("struct Armillaria", "Armillaria").replace("typedef Armillaria", "typedef struct Armillaria");
    let mut lines: Vec<String> = Vec::new();
    for line in block.lines() {
        lines.push(line.to_string());
        if line.trim_start() == "*/" && lines.len() >= 3 {
            shorten(&mut lines);
        }
    }
    lines.join("\n")
}

/// Joins a comment of one line that stands on three.
fn shorten(lines: &mut Vec<String>) {
    let opening = lines.len() - 3;
    if lines[opening].trim_start() == "/**" {
        let text = lines[opening + 1].trim_start().trim_start_matches("* ").to_string();
        let indent = " ".repeat(lines[opening].len() - lines[opening].trim_start().len());
        lines.truncate(opening);
        lines.push(format!("{indent}/** {text} */"));
    }
}

fn heading(title: &str) -> String {
    let line = format!("/* ---- {title} ");
    format!("{line}{} */", "-".repeat(97_usize.saturating_sub(line.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSLATED: &str = "\
#ifdef __cplusplus
extern \"C\" {
#endif // __cplusplus

/**
 * A thing.
 */
typedef struct ArmillariaThing ArmillariaThing;

/**
 * Two lines
 * of text.
 */
uint32_t armillaria_thing(const struct ArmillariaThing *thing,
                          const struct ArmillariaThing **out);

#ifdef __cplusplus
}
#endif
";

    fn places(names: &[(&str, usize)]) -> Places {
        names.iter().map(|(name, section)| (name.to_string(), (*section, 1))).collect()
    }

    #[test]
    fn items_stand_in_their_sections() {
        let header = header(TRANSLATED, &places(&[("ArmillariaThing", 5), ("armillaria_thing", 4)])).unwrap();
        let thing = header.find("/** A thing. */\ntypedef struct ArmillariaThing ArmillariaThing;").unwrap();
        let function =
            header.find("/**\n * Two lines\n * of text.\n */\nuint32_t armillaria_thing(const ArmillariaThing *thing,");
        assert!(function.unwrap() < thing, "{header}");
        assert!(header.ends_with("#endif  /* ARMILLARIA_H */\n"));
    }

    #[test]
    fn nothing_is_lost() {
        assert!(header(TRANSLATED, &places(&[("ArmillariaThing", 5)])).is_err(), "no place");
        let more = places(&[("ArmillariaThing", 5), ("armillaria_thing", 4), ("armillaria_other", 4)]);
        assert!(header(TRANSLATED, &more).is_err(), "not translated");
    }
}
