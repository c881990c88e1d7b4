//! What a script needs beside it: the two endpoints that it stops and starts.

use std::process::Command;

use anyhow::bail;
use tm_tests::{
    endpoint::FakeEndpoint,
    lab::Lab,
    script::{self, Endpoints},
};

/// Runs a script to its end. Panics where DNS does not say what it must, or where the script fails.
pub(crate) fn judge(lab: &Lab, mut command: Command) {
    let mut endpoints = Endpoints::from([
        ("virginia", FakeEndpoint::on_client(lab, [10, 53, 0, 11].into()).unwrap()),
        ("amsterdam", FakeEndpoint::on_client(lab, [10, 53, 0, 12].into()).unwrap()),
    ]);
    script::run(lab, &mut command, &mut endpoints, |word, _| bail!("nobody knows `{word}`")).unwrap();
}
