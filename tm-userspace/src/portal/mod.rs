//! The portal's files: pages, scripts and styles of its own under `static`, other people's modules under `vendor`, as they stand, without any build step.
//!
//! They are in the binary; a debug build reads them from the source tree at each request instead, so that a page can be changed under a running daemon.

mod serve;

use std::borrow::Cow;

use rust_embed::RustEmbed;

pub use serve::{CONTENT_SECURITY_POLICY, serve};

/// What vendored files are found under.
const VENDOR: &str = "vendor/";

/// The portal's own.
#[derive(RustEmbed)]
#[folder = "src/portal/static"]
struct Own;

/// Other people's; see the README there.
#[derive(RustEmbed)]
#[folder = "src/portal/vendor"]
struct Vendored;

/// A file to be served.
struct File {
    octets: Cow<'static, [u8]>,
    digest: [u8; 32],
}

impl File {
    /// The one at `path`, which has no `/` at its front.
    fn at(path: &str) -> Option<Self> {
        // A debug build looks on the disk: nothing but plain names may get there.
        let is_plain = |segment: &str| {
            let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
            !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(is_name)
        };
        if !path.split('/').all(is_plain) {
            return None;
        }
        let found = match path.strip_prefix(VENDOR) {
            Some(vendored) => Vendored::get(vendored),
            None => Own::get(path),
        }?;
        Some(File { octets: found.data, digest: found.metadata.sha256_hash() })
    }
}

#[cfg(test)]
mod tests {
    use ring::digest::{SHA256, digest};

    use super::*;
    use crate::secret::hexadecimal;

    #[test]
    fn vendored_files_are_what_their_checksums_say() {
        const BESIDE: [&str; 2] = ["CHECKSUMS", "README.md"];
        let text = |name: &str| String::from_utf8(Vendored::get(name).unwrap().data.into_owned()).unwrap();
        let actual: Vec<_> = Vendored::iter()
            .filter(|name| !BESIDE.contains(&&**name))
            .map(|name| {
                let octets = Vendored::get(&name).unwrap().data;
                format!("{}  {name}", hexadecimal(digest(&SHA256, &octets).as_ref()))
            })
            .collect();
        let listed: Vec<_> = text("CHECKSUMS").lines().map(str::to_owned).collect();
        let sorted = |mut lines: Vec<String>| {
            lines.sort();
            lines
        };
        assert_eq!(sorted(actual), sorted(listed));
    }

    #[test]
    fn a_path_leads_to_no_file_outside() {
        assert!(File::at("vendor/uPlot.esm.js").is_some());
        for path in [
            "",
            "/etc/passwd",
            "../mod.rs",
            "vendor/../mod.rs",
            "vendor//CHECKSUMS",
            "app/./main.js",
            ".",
            "vendor\\CHECKSUMS",
            "vendor/%2e%2e/mod.rs",
        ] {
            assert!(File::at(path).is_none(), "{path}");
        }
    }
}
