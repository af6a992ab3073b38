//! Names of tables, branches and tags: validated once, never used as file paths.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::limits::NAME_BYTES_MAX;

macro_rules! name {
    ($(#[doc = $doc:literal])* $name:ident, $what:literal, $check:ident) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks a name; one that is ill formed is `INVALID_ARGUMENT`.
            pub fn new(name: &str) -> Result<Self> {
                match $check(name) {
                    Ok(()) => Ok(Self(name.into())),
                    Err(reason) => Err(Error::invalid($what, format!("{name:?} {reason}"))),
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(name: String) -> Result<Self> {
                Self::new(&name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.to_string()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of a table: 1 to 255 bytes of UTF-8 without control characters, not `.` or `..`.
    TableName,
    "table name",
    check_plain
);
name!(
    /// The name of a branch: like a table's; a `/` must stand between non-empty parts, none of them `.` or `..`.
    BranchName,
    "branch name",
    check_parts
);
name!(
    /// The name of a tag: like a branch's.
    TagName,
    "tag name",
    check_parts
);

impl BranchName {
    /// The branch that always exists.
    pub fn main() -> BranchName {
        BranchName("main".into())
    }
}

fn check_plain(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("is empty"),
        "." | ".." => Err("is reserved"),
        _ if name.len() > NAME_BYTES_MAX => Err("is longer than 255 bytes"),
        _ if name.chars().any(char::is_control) => Err("has a control character"),
        _ => Ok(()),
    }
}

fn check_parts(name: &str) -> Result<(), &'static str> {
    check_plain(name)?;
    name.split('/').try_for_each(|part| match part {
        "" => Err("has an empty part beside a '/'"),
        "." | ".." => Err("has a part '.' or '..'"),
        _ => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_pass() {
        for name in ["a", "größe", "a b", "☃", "main", &"x".repeat(255), "..."] {
            assert_eq!(TableName::new(name).unwrap().as_str(), name);
        }
        assert!(TableName::new("a/b").is_ok(), "a table name is never a path");
        assert!(BranchName::new("feature/x/y").is_ok());
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", ".", "..", "a\nb", "a\0", "\u{7f}", &"x".repeat(256), &"ä".repeat(128)] {
            assert!(TableName::new(name).is_err(), "{name:?}");
            assert!(BranchName::new(name).is_err(), "{name:?}");
            assert!(TagName::new(name).is_err(), "{name:?}");
        }
        for name in ["/", "a/", "/a", "a//b", "a/../b", "./a"] {
            assert!(BranchName::new(name).is_err(), "{name:?}");
        }
    }
}
