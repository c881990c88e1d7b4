//! What holds for any configuration files.

use std::fs;

use tm_userspace::config::{ConfigError, Loaded, key, load};

/// A `tm.toml` without fault.
pub const NODE: &str = "\
zone = \"tm.example\"
name_servers = [\"ns1.tm.example\"]
[listen]
interfaces = [\"eth0\"]
";

/// The first lines of a profile without fault.
pub const PROFILE: &str = "\
[[profile]]
name = \"contoso\"
routing_method = \"priority\"
";

/// What `tm check` does with a `tm.toml` and a file of profiles. They load, and then all is in range; or each problem is told with its place and what to do.
pub fn check_files(node: &[u8], profiles: &[u8]) {
    match loaded(node, profiles) {
        Ok(loaded) => {
            for profile in loaded.profiles.values() {
                assert!(profile.dns_name.wire().len() <= 255 && profile.ttl <= 2_147_483_647);
                let entry = &loaded.registry.entries()[&key(&profile.name)];
                let is_full = entry.document().contains_key("dns_name");
                assert!(is_full || profile.dns_name.is_within(&loaded.node.zone().name));
                assert!(profile.monitor.timeout < profile.monitor.interval && profile.monitor.port > 0);
                assert!(profile.endpoints.iter().all(|endpoint| endpoint.weight <= 1000));
                assert!((1..=10).contains(&profile.max_return));
                assert!(profile.endpoints.iter().all(|endpoint| (1..=1000).contains(&endpoint.priority)));
            }
        }
        Err(error) => {
            let problems = error.problems();
            assert!(!problems.is_empty(), "refused without a reason");
            assert!(problems.iter().all(|problem| !problem.message.is_empty() && !problem.help.is_empty()));
            let placed = problems.iter().take(50).filter(|problem| problem.line > 0).count();
            let report = error.render(false);
            assert!(
                report.matches("╭─[").count() >= placed && !report.contains("Failed to read"),
                "{report}"
            );
            assert!(!error.render(true).is_empty() && !error.to_string().is_empty());
        }
    }
}

/// Octets as files: a node's up to the first zero octet and profiles behind it, or profiles alone for a node without fault.
pub fn check_octets(octets: &[u8]) {
    match octets.iter().position(|octet| *octet == 0) {
        Some(at) => check_files(&octets[..at], &octets[at + 1..]),
        None => check_files(NODE.as_bytes(), octets),
    }
}

fn loaded(node: &[u8], profiles: &[u8]) -> Result<Loaded, ConfigError> {
    let write = || {
        let directory = tempfile::tempdir()?;
        fs::create_dir(directory.path().join("conf.d"))?;
        fs::write(directory.path().join("tm.toml"), node)?;
        fs::write(directory.path().join("conf.d/a.toml"), profiles)?;
        std::io::Result::Ok(directory)
    };
    let directory = write().expect("a directory for temporary files");
    load(directory.path())
}
