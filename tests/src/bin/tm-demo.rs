//! `cargo xtask run`: the product between two hosts on this machine, with a client that asks all the time and two endpoints to switch; Ctrl-C removes all of it.
//!
//! Left alone, it shows a failover by itself: the primary stops, and comes back.

use std::{collections::VecDeque, fs, net::Ipv4Addr, thread, time::Duration};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tm_tests::{
    daemon::binary,
    endpoint::FakeEndpoint,
    lab::{Lab, SERVER_V4},
    query::{Query, qtype},
    texts::{NODE, Profile},
};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, sleep_until, timeout},
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

/// From one query of the client to the next.
const PAUSE: Duration = Duration::from_millis(50);

/// When the primary goes down by itself and when it comes up again, in seconds: unless somebody switches it.
const SHOW: [(u64, bool); 2] = [(20, false), (40, true)];

/// How often the daemon is asked for a link until it is there to give one.
const RETRY: Duration = Duration::from_millis(100);

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
    let (mut daemon, files) = serve(&lab)?;
    let link = tokio::select! {
        link = link(&lab, &files) => link?,
        status = daemon.wait() => bail!("the daemon ended by itself ({}): its log above says why", status?),
    };
    ask_all_the_time(&lab)?;
    explain(&link);
    let begun = Instant::now();
    let mut show: VecDeque<_> =
        SHOW.into_iter().map(|(after, up)| (begun + Duration::from_secs(after), up)).collect();
    loop {
        let up = tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            status = daemon.wait() => bail!("the daemon ended by itself ({}): its log above says why", status?),
            _ = stop.recv() => {
                show.clear();
                false
            }
            _ = start.recv() => {
                show.clear();
                true
            }
            up = next(&show) => {
                show.pop_front();
                up
            }
        };
        if up {
            lab.in_client(|| primary.resume())??;
            println!("# the primary, {}, is back", ENDPOINTS[0]);
        } else {
            primary.stop();
            println!("# the primary, {}, is stopped", ENDPOINTS[0]);
        }
    }
    end(&mut daemon).await
}

/// The daemon on the server's end, its log on this terminal; and its files, which go with their handle.
fn serve(lab: &Lab) -> Result<(Child, TempDir)> {
    let files = tempfile::tempdir().context("cannot make a directory for the demo's files")?;
    let text = |text: &str| text.replace("{dir}", &files.path().to_string_lossy());
    fs::create_dir(files.path().join("conf.d"))?;
    fs::write(files.path().join("tm.toml"), text(&format!("{NODE}[api]\n")))?;
    fs::write(files.path().join("conf.d/contoso.toml"), PROFILE.to_string())?;
    let mut command = lab.server(&binary("tm")?.to_string_lossy());
    command.args(["serve", "--config"]).arg(files.path());
    let daemon = Command::from(command).kill_on_drop(true).spawn().context("cannot start the daemon")?;
    Ok((daemon, files))
}

/// A link that signs a browser in, once the daemon gives one.
async fn link(lab: &Lab, files: &TempDir) -> Result<String> {
    loop {
        let mut command = lab.server(&binary("tm")?.to_string_lossy());
        command.args(["sign-in", "--for", "1h", "--config"]).arg(files.path());
        let output = Command::from(command).output().await.context("cannot run tm")?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?.trim().to_owned());
        }
        sleep(RETRY).await;
    }
}

/// The next turn of the show, when its time comes; never where there is none.
async fn next(show: &VecDeque<(Instant, bool)>) -> bool {
    let Some((at, up)) = show.front() else { return std::future::pending().await };
    sleep_until(*at).await;
    *up
}

/// A client that asks on a thread of its own for as long as this program lives, so that there is something to see.
#[expect(clippy::disallowed_methods, reason = "the pace of the client: nothing is waited for")]
fn ask_all_the_time(lab: &Lab) -> Result<()> {
    let mut asker = lab.asker(SERVER_V4.into())?;
    thread::spawn(move || {
        loop {
            // One that is lost is followed by the next.
            _ = asker.ask(&Query::with_edns("contoso.tm.example", qtype::A));
            thread::sleep(PAUSE);
        }
    });
    Ok(())
}

fn explain(link: &str) {
    let own = std::process::id();
    let [(stops, _), (returns, _)] = SHOW;
    let portal = link.split_once("/sign-in").map_or(link, |(portal, _)| portal);
    println!(
        "# The portal is at {portal}, with a certificate of the daemon's own. This signs you in, once:\n\
         {link}\n\
         # In {stops} s the primary stops by itself, and in {returns} s it is back: see who answers.\n\
         # contoso.tm.example is served on tm0. Try, as root, from another terminal:\n\
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
