//! Errors of the libraries below as the few words an operator reads.

use std::{error::Error, io};

/// `connection refused`, `TLS: received fatal alert: handshake_failure`.
pub(super) fn of_io(error: &io::Error) -> String {
    if let Some(inner) = error.get_ref() {
        return find(inner).unwrap_or_else(|| inner.to_string());
    }
    match error.kind() {
        // Kinds that the standard library has no name for: the system's words then.
        kind if kind.to_string().contains("uncategorized") => error.to_string(),
        kind => kind.to_string(),
    }
}

/// The reason behind an error of the HTTP client: what its chain of causes ends in.
pub(super) fn of_http(error: &reqwest::Error) -> String {
    find(error).unwrap_or_else(|| format!("HTTP: {}", deepest(error)))
}

/// Is it the end of what the server sends, rather than of its answer?
pub(super) fn is_end(error: &(dyn Error + 'static)) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) || error.source().is_some_and(is_end)
}

/// A TLS or I/O error in the chain of causes; an I/O error hides the cause it wraps from `source`.
fn find(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(format!("TLS: {error}"));
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(of_io(error));
        }
        next = error.source();
    }
    None
}

fn deepest(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
