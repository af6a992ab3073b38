//! The sections of the header: one for each source file, which says what belongs to it.

use std::collections::HashMap;
use std::io;
use std::path::Path;

/// Source files in the order of the header, and their headings. What a section needs stands in those before it.
pub(crate) const SECTIONS: &[(&str, &str)] = &[
    ("library", "The library"),
    ("string", "Strings"),
    ("error", "Errors"),
    ("results", "Results that several functions share"),
    ("cancel", "Cancelling"),
    ("database", "The database"),
    ("at", "Where a read looks"),
    ("tables", "Tables"),
    ("sql", "SQL"),
    ("branches", "Branches"),
    ("merge", "Merging and reverting"),
    ("tags", "Tags"),
    ("transaction", "Transactions"),
    ("changelog", "The changelog"),
    ("subscription", "Subscriptions"),
    ("health", "Health"),
    ("catalog", "The low-level catalog: versions as bare lists of chunks"),
    ("chunk_store", "The chunk store, usable alone"),
];

/// The place of each public item: its section, and where it stands in its file.
pub(crate) type Places = HashMap<String, (usize, usize)>;

/// Reads the places from the sources.
pub(crate) fn read(sources: &Path) -> io::Result<Places> {
    let mut places = Places::new();
    for (section, (file, _)) in SECTIONS.iter().enumerate() {
        let text = std::fs::read_to_string(sources.join(file).with_extension("rs"))?;
        for (line, name) in text.lines().enumerate().filter_map(|(line, text)| Some((line, item(text)?))) {
            places.insert(name.to_string(), (section, line));
        }
    }
    Ok(places)
}

/// The name of the public item that a line of Rust declares.
fn item(line: &str) -> Option<&str> {
    const STARTS: [&str; 5] =
        ["pub struct ", "pub enum ", "pub const ", "pub extern \"C\" fn ", "pub unsafe extern \"C\" fn "];
    let rest = STARTS.iter().find_map(|start| line.strip_prefix(start))?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_items_are_found() {
        assert_eq!(item("pub struct ArmillariaAt {"), Some("ArmillariaAt"));
        assert_eq!(item("pub unsafe extern \"C\" fn armillaria_open("), Some("armillaria_open"));
        assert_eq!(item("pub const ARMILLARIA_ABI_VERSION: u32 = 1;"), Some("ARMILLARIA_ABI_VERSION"));
        assert_eq!(item("pub(crate) struct Memory {"), None);
        assert_eq!(item("    pub struct_size: usize,"), None);
    }
}
