//! `cargo xtask run`: the product between two hosts on this machine, with two endpoints to switch; Ctrl-C removes all of it.

use std::{fs, net::Ipv4Addr, time::Duration};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tm_tests::{
    daemon::binary,
    endpoint::FakeEndpoint,
    lab::{Lab, SERVER_V4},
    texts::{NODE, Profile},
};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    time::timeout,
};

/// The profile that is served.
const PROFILE: Profile<'_> = Profile {
    name: "contoso",
    method: "priority",
    lines: "ttl = 5",
    interval: Duration::from_secs(1),
    tolerated_failures: 1,
    endpoints: &[("virginia", 11, ""), ("amsterdam", 12, "")],
};

/// The endpoints' addresses, on the client's host: the primary's first.
const ENDPOINTS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 53, 0, 11), Ipv4Addr::new(10, 53, 0, 12)];

/// How long the daemon may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // Caught before anything is made, so that nothing stays behind.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (mut stop, mut start) = (signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?);

    let lab = Lab::here()?;
    let mut primary = FakeEndpoint::on_client(&lab, ENDPOINTS[0])?;
    let _secondary = FakeEndpoint::on_client(&lab, ENDPOINTS[1])?;
    let (mut daemon, _files) = serve(&lab)?;
    explain();
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            status = daemon.wait() => bail!("the daemon ended by itself ({}): its log above says why", status?),
            _ = stop.recv() => {
                primary.stop();
                println!("# the primary, {}, is stopped", ENDPOINTS[0]);
            }
            _ = start.recv() => {
                lab.in_client(|| primary.resume())??;
                println!("# the primary, {}, is back", ENDPOINTS[0]);
            }
        }
    }
    end(&mut daemon).await
}

/// The daemon on the server's end, its log on this terminal; and its files, which go with their handle.
fn serve(lab: &Lab) -> Result<(Child, TempDir)> {
    let files = tempfile::tempdir().context("cannot make a directory for the demo's files")?;
    let text = |text: &str| text.replace("{dir}", &files.path().to_string_lossy());
    fs::create_dir(files.path().join("conf.d"))?;
    fs::write(files.path().join("tm.toml"), text(NODE))?;
    fs::write(files.path().join("conf.d/contoso.toml"), PROFILE.to_string())?;
    let mut command = lab.server(&binary("tm")?.to_string_lossy());
    command.args(["serve", "--config"]).arg(files.path());
    let daemon = Command::from(command).kill_on_drop(true).spawn().context("cannot start the daemon")?;
    Ok((daemon, files))
}

fn explain() {
    let own = std::process::id();
    println!(
        "# contoso.tm.example is served on tm0. Try, as root, from another terminal:\n\
         ip netns exec tm-client dig @{SERVER_V4} contoso.tm.example +noall +answer\n\
         kill -USR1 {own}   # stops the primary: dig again two seconds later\n\
         kill -USR2 {own}   # starts it again\n\
         # Ctrl-C ends the demo and removes all that it made."
    );
}

/// Asks the daemon to end and waits for it.
async fn end(daemon: &mut Child) -> Result<()> {
    if let Some(pid) = daemon.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        kill_process(pid, Signal::TERM).ok(); // Ctrl-C may have ended it already
    }
    if timeout(PATIENCE, daemon.wait()).await.is_err() {
        daemon.kill().await.context("cannot kill the daemon, which did not end when asked")?;
    }
    Ok(())
}
