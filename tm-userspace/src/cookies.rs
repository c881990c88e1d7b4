//! Secrets of DNS cookies: how they are written, and the one that the daemon makes for itself.
//!
//! A file of them has one or two lines of 32 hexadecimal digits, as other name servers have it: the first line makes cookies and knows them again, the second only knows them again
//! ([RFC 9018, section 5]).
//!
//! [RFC 9018, section 5]: https://www.rfc-editor.org/rfc/rfc9018#section-5

use std::{fmt, fs, io::ErrorKind, path::Path};

use anyhow::Context as _;
use data_encoding::HEXLOWER_PERMISSIVE;

use crate::{secret, state};

/// The file's name under `state_dir`.
pub const NAME: &str = "cookie-secret";
/// Octets of a secret.
const LENGTH: usize = 16;

/// One or two secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets(Vec<[u8; LENGTH]>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.0.len()).finish()
    }
}

impl Secrets {
    /// What a file says.
    ///
    /// # Errors
    ///
    /// Where it says something else. Nothing of that is shown: it may well be the secret after all.
    pub fn parse(octets: &[u8]) -> Result<Self, &'static str> {
        let text = str::from_utf8(octets).map_err(|_| "it is not text")?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let secret = |line: &str| HEXLOWER_PERMISSIVE.decode(line.as_bytes()).ok()?.try_into().ok();
        let secrets = lines.map(secret).collect::<Option<Vec<_>>>();
        match secrets.ok_or("a line is not 32 hexadecimal digits")? {
            secrets if secrets.is_empty() => Err("it is empty"),
            secrets if secrets.len() > 2 => Err("it has more than two lines"),
            secrets => Ok(Secrets(secrets)),
        }
    }

    /// Those of `state_dir`: made at random where there are none, for this user alone to read.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read or written, or is not one of secrets: it is never overwritten.
    pub fn own(state_dir: &Path) -> anyhow::Result<Self> {
        let path = state_dir.join(NAME);
        match fs::read(&path) {
            Ok(octets) => Self::parse(&octets).map_err(anyhow::Error::msg).with_context(|| {
                format!("cannot use the cookie secret {}; remove it, and another is made", path.display())
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut secret = [0; LENGTH];
                secret.copy_from_slice(&secret::random()[..LENGTH]);
                let text = format!("{}\n", secret::hexadecimal(&secret));
                state::replace(state_dir, NAME, text.as_bytes(), 0o600)?;
                Ok(Secrets(vec![secret]))
            }
            Err(error) => {
                Err(error).with_context(|| format!("cannot read the cookie secret {}", path.display()))
            }
        }
    }

    /// The secrets, the one that makes cookies first.
    pub fn all(&self) -> &[[u8; LENGTH]] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_has_one_or_two_lines_of_hexadecimal_digits() {
        let text = "e5e973e5a6b2a43f48e7dc849e37bfcf\n445536BCD2513298075A5D379663C962\n";
        let secrets = Secrets::parse(text.as_bytes()).unwrap();
        assert_eq!(secrets.all()[0][..3], [0xe5, 0xe9, 0x73]);
        assert_eq!(secrets.all()[1][14..], [0xc9, 0x62]);
        for wrong in ["", "\n\n", "e5e973", "zz5536bcd2513298075a5d379663c962", &text.repeat(2)] {
            assert!(Secrets::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(Secrets::parse(&[0xff; 32]).is_err());
    }

    #[test]
    fn the_daemons_own_is_made_once_and_for_nobody_else_to_read() {
        let dir = tempfile::tempdir().unwrap();
        let made = Secrets::own(dir.path()).unwrap();
        assert_eq!(Secrets::own(dir.path()).unwrap(), made);
        let path = dir.path().join(NAME);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Secrets::own(other.path()).unwrap(), made);
        fs::write(&path, "not a secret").unwrap();
        assert!(Secrets::own(dir.path()).unwrap_err().to_string().contains("cookie-secret"));
        assert_eq!(fs::read(&path).unwrap(), b"not a secret");
    }
}
