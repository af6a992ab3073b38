//! Errors on their way through Arrow's streams. Pure.

use arrow::error::ArrowError;

use crate::error::Error;

/// Wraps an error so that it can travel inside a stream of batches.
pub fn error_to_arrow(error: Error) -> ArrowError {
    ArrowError::ExternalError(Box::new(error))
}

/// Takes out an error of this library that travelled inside a stream; an error of anybody else's is `IO` or
/// `INVALID_ARGUMENT` about the rows.
pub fn error_from_arrow(error: ArrowError) -> Error {
    match error {
        ArrowError::ExternalError(source) => match source.downcast::<Error>() {
            Ok(error) => *error,
            Err(source) => Error::invalid("rows", source.to_string()),
        },
        ArrowError::IoError(_, source) => Error::io("read the rows", "the caller's stream", source),
        other => Error::invalid("rows", other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn an_error_survives_the_way_through_a_stream() {
        let error = Error::Closed { what: "database" };
        assert_eq!(error_from_arrow(error_to_arrow(error)).code(), Code::Closed);
        assert_eq!(error_from_arrow(ArrowError::CsvError("line 3".into())).code(), Code::InvalidArgument);
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(error_from_arrow(ArrowError::IoError(String::new(), full)).code(), Code::OutOfSpace);
    }
}
