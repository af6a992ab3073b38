//! Why a step did not do what it should.

use armillaria::Code;
use serde_json::{Value as Json, json};

/// Why a step did not do what it should.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The product answered with an error, which the case may expect.
    Product(ProductError),
    /// The case or the runner is wrong.
    Case(String),
}

/// An error of the product, in the terms of the cases.
#[derive(Clone, Debug)]
pub struct ProductError {
    /// The stable number.
    pub code: u32,
    /// The stable name.
    pub name: String,
    /// The category in lower case.
    pub category: String,
    /// The sentence.
    pub message: String,
}

impl ProductError {
    /// The error of a number that travelled without its name, as in the texts of Arrow streams.
    pub fn of_code(code: u32, message: impl Into<String>) -> ProductError {
        let known = Code::ALL.iter().find(|known| known.number() == code);
        ProductError {
            code,
            name: known.map_or("UNKNOWN", |known| known.name()).to_string(),
            category: known.map_or("unknown", |known| known.category().name()).to_string(),
            message: message.into(),
        }
    }

    /// What the patterns of cases are matched with.
    pub fn to_json(&self) -> Json {
        json!({"code": self.code, "name": self.name, "category": self.category, "message": self.message})
    }
}

impl From<armillaria::Error> for Failure {
    fn from(error: armillaria::Error) -> Failure {
        Failure::Product(ProductError {
            code: error.code().number(),
            name: error.code().name().to_string(),
            category: error.category().name().to_string(),
            message: error.to_string(),
        })
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Failure {
        Failure::Case(reason)
    }
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Failure {
        Failure::Case(reason.to_string())
    }
}
