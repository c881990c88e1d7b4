//! The daemon's files that scenarios start from: one zone on the lab's server, and a profile whose endpoints are on the client's host.

use std::{fmt, time::Duration};

/// `tm.toml`; what is added to `[listen]` goes behind it.
pub const NODE: &str = r#"zone = "tm.example"
name_servers = ["ns1.tm.example"]
state_dir = "{dir}/state"
[listen]
interfaces = ["tm0"]
"#;

/// A profile's text, by `to_string`.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// Its name; it answers this name in the zone.
    pub name: &'a str,
    /// Its routing method, as files have it.
    pub method: &'a str,
    /// Further lines of its own.
    pub lines: &'a str,
    /// From one probe to the next; one that takes three quarters of it has failed.
    pub interval: Duration,
    /// Failures in a row that change nothing.
    pub tolerated_failures: u32,
    /// Name, last octet of the address (10.53.0.x), further lines.
    pub endpoints: &'a [(&'a str, u8, &'a str)],
}

impl Default for Profile<'_> {
    /// `contoso`: virginia at 10.53.0.11, else amsterdam at 10.53.0.12; the first failed probe counts.
    fn default() -> Self {
        Profile {
            name: "contoso",
            method: "priority",
            lines: "",
            interval: Duration::from_millis(200),
            tolerated_failures: 0,
            endpoints: &[("virginia", 11, ""), ("amsterdam", 12, "")],
        }
    }
}

impl fmt::Display for Profile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Profile { name, method, lines, interval, tolerated_failures, endpoints } = self;
        let (interval, timeout) = (interval.as_millis(), (*interval * 3 / 4).as_millis());
        writeln!(f, "[[profile]]\nname = \"{name}\"\nrouting_method = \"{method}\"\n{lines}")?;
        writeln!(f, "[profile.monitor]\ninterval = \"{interval}ms\"\ntimeout = \"{timeout}ms\"")?;
        writeln!(f, "tolerated_failures = {tolerated_failures}")?;
        for (name, host, lines) in *endpoints {
            writeln!(f, "[[profile.endpoint]]\nname = \"{name}\"\ntarget = \"10.53.0.{host}\"\n{lines}")?;
        }
        Ok(())
    }
}
