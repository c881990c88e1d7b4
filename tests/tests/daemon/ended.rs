//! `tm` on the command line, and what it ended with.

use std::process::Command;

use serde_json::Value;
use tm_tests::daemon::binary;

/// What a command ended with: its code and both its outputs.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub(crate) fn last_line(&self) -> &str {
        self.out.lines().last().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// `tm` without a daemon; the environment's settings are not the test's.
pub(crate) fn tm(arguments: &[&str]) -> Ended {
    let mut command = Command::new(binary("tm").unwrap());
    Ended::of(command.env_remove("TM_CONFIG").env_remove("TM_SOCKET").args(arguments))
}
