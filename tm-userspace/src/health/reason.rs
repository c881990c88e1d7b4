//! Why a probe failed: the few words that an operator reads, made of the errors of the libraries below, and one of a closed list of causes, which is the label in metrics.

use std::{error::Error, fmt, io};

/// Why a probe failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Which of the causes.
    pub(super) cause: Cause,
    /// In a few words.
    pub(super) reason: String,
}

impl Failure {
    pub(super) fn new(cause: Cause, reason: impl Into<String>) -> Self {
        Failure { cause, reason: reason.into() }
    }

    /// The same cause with `words` before the reason.
    fn after(self, words: &str) -> Self {
        Failure { reason: format!("{words}{}", self.reason), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $name:ident = $label:literal,)+) => {
        /// What probes fail for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Cause { $($(#[doc = $doc])+ $name,)+ }

        impl Cause {
            /// Every cause.
            pub const ALL: &'static [Cause] = &[$(Cause::$name,)+];

            /// Its name in metrics.
            pub const fn label(self) -> &'static str {
                match self { $(Cause::$name => $label,)+ }
            }
        }
    };
}

causes! {
    /// The target's name has no address.
    Resolve = "resolve",
    /// None of its addresses may be probed.
    NotPermitted = "not_permitted",
    /// Nobody listens there.
    Refused = "refused",
    /// There is no way there.
    Unreachable = "unreachable",
    /// It broke the connection off.
    Reset = "reset",
    /// It was too late.
    Timeout = "timeout",
    /// TLS, or the certificate.
    Tls = "tls",
    /// What it says is not HTTP.
    Http = "http",
    /// Another status than expected.
    Status = "status",
    /// Another body than expected.
    Body = "body",
    /// This host could not make the probe.
    Local = "local",
}

/// `connection refused`, `TLS: received fatal alert: handshake_failure`.
pub(super) fn of_io(error: &io::Error) -> Failure {
    let cause = cause(error.kind());
    if let Some(inner) = error.get_ref() {
        return find(inner).unwrap_or_else(|| Failure::new(cause, inner.to_string()));
    }
    Failure::new(
        cause,
        match error.kind() {
            // Kinds that the standard library has no name for: the system's words then.
            kind if kind.to_string().contains("uncategorized") => error.to_string(),
            kind => kind.to_string(),
        },
    )
}

fn cause(kind: io::ErrorKind) -> Cause {
    use io::ErrorKind as Kind;
    match kind {
        Kind::ConnectionRefused => Cause::Refused,
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => Cause::Unreachable,
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
            Cause::Reset
        }
        Kind::TimedOut => Cause::Timeout,
        _ => Cause::Local,
    }
}

/// The reason behind an error of the HTTP client: what its chain of causes ends in.
pub(super) fn of_http(error: &reqwest::Error) -> Failure {
    find(error).unwrap_or_else(|| Failure::new(Cause::Http, format!("HTTP: {}", deepest(error))))
}

/// The same where only a part of an answer has come.
pub(super) fn of_rest(found: &str, error: &reqwest::Error) -> Failure {
    of_http(error).after(&format!("{found}, but the body breaks off: "))
}

/// Is it the end of what the server sends, rather than of its answer?
pub(super) fn is_end(error: &(dyn Error + 'static)) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) || error.source().is_some_and(is_end)
}

/// A TLS or I/O error in the chain of causes; an I/O error hides the cause it wraps from `source`.
fn find(error: &(dyn Error + 'static)) -> Option<Failure> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(Failure::new(Cause::Tls, format!("TLS: {error}")));
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
