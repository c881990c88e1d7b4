//! Whether clients are given DNS cookies.

use crate::cookies::Secrets;

/// DNS cookies ([RFC 7873](https://www.rfc-editor.org/rfc/rfc7873)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cookies {
    /// Nothing is known of them: the option is one like any other.
    Off,
    /// Made with the secret of `state_dir`.
    #[default]
    Own,
    /// Made with these.
    Of(Secrets),
}
