//! `state.json` under `state_dir`: what a daemon has learnt and counted, for the next one.
//!
//! It is replaced as a whole: written beside, synced, renamed. A file that cannot be read is set aside, never overwritten, and the daemon begins anew.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::{
    dns::Messages,
    health::{EndpointDetails, Forced},
    time::serde_rfc3339,
    webhooks::Message,
};

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The layout: [`VERSION`].
    pub version: u32,
    /// When it was written.
    #[serde(with = "serde_rfc3339")]
    pub at: SystemTime,
    /// The configuration's generation, which is also the zone's serial; or the serial where transfers have taken that further.
    pub generation: u64,
    /// What the kernel's tables are called among the pins, where there are any.
    pub tables: Option<String>,
    /// Packets by reason, in the order of the kernel's counters.
    pub packets: Vec<SavedPackets>,
    /// Messages that the sockets saw.
    #[serde(default)]
    pub socket_messages: Vec<Messages>,
    /// Events that receivers have not taken yet, by URL.
    #[serde(default)]
    pub undelivered: BTreeMap<String, Vec<Message>>,
    /// All endpoints with a verdict, outcomes or answers.
    pub endpoints: Vec<SavedEndpoint>,
    /// Round trips that were measured.
    #[serde(default)]
    pub round_trips: Vec<SavedRoundTrip>,
}

/// What was measured of a prefix and a region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedRoundTrip {
    /// The prefix, as `203.0.113.0/24`.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// The smoothed round trip.
    pub ms: f64,
    /// Samples so far.
    pub samples: u32,
}

/// Packets with one outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPackets {
    /// Its label.
    pub reason: String,
    /// All of them.
    pub count: u64,
    /// Those among them that the tables named above have counted.
    pub in_kernel: u64,
}

/// What is known of an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedEndpoint {
    /// Its profile's name.
    pub profile: String,
    /// Its name.
    pub endpoint: String,
    /// What was probed: outcomes of another target mean nothing.
    pub target: String,
    /// Its verdict, if there was one.
    pub verdict: Option<SavedVerdict>,
    /// What the probes found.
    pub details: Option<EndpointDetails>,
    /// Answers given.
    pub answers: u64,
    /// Those among them that the tables named above have counted.
    pub in_kernel: u64,
    /// Where these tables count them: with others that are in the same answers.
    #[serde(default)]
    pub counters: Vec<u32>,
    /// What an operator forces it to be, or forced it to be not long ago.
    #[serde(default)]
    pub forced: Option<Forced>,
    /// When an operator last let it answer again.
    #[serde(default, with = "serde_rfc3339::option")]
    pub restored: Option<SystemTime>,
    /// How far its probes say its region is.
    #[serde(default)]
    pub learnt: Option<SavedLearnt>,
}

/// How far away a region is held to be by an endpoint's probes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedLearnt {
    /// The region that the endpoint was in.
    pub region: String,
    /// The round trip that counts.
    pub ms: f64,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedVerdict {
    /// Is it up?
    pub up: bool,
    /// Since when.
    #[serde(with = "serde_rfc3339")]
    pub since: SystemTime,
    /// Is it up after having been down?
    #[serde(default)]
    pub recovered: bool,
}

/// The layout that this version writes, and the only one it reads.
pub const VERSION: u32 = 1;
/// The file's name under `state_dir`.
pub const NAME: &str = "state.json";

impl Saved {
    /// Reads the file. `None` where there is none, and where it is of no use: that is a warning and no more.
    pub fn load(state_dir: &Path) -> Option<Self> {
        let path = state_dir.join(NAME);
        let octets = match fs::read(&path) {
            Ok(octets) => octets,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "what an earlier run learnt cannot be read; beginning anew");
                return None;
            }
        };
        match parse(&octets) {
            Ok(saved) => Some(saved),
            Err(error) => {
                let aside = set_aside(&path);
                tracing::warn!(
                    path = %path.display(),
                    error = format!("{error:#}"),
                    aside = aside.map_or_else(|error| error.to_string(), |path| path.display().to_string()),
                    "what an earlier run learnt is damaged and set aside; beginning anew"
                );
                None
            }
        }
    }

    /// Replaces the file.
    pub fn store(&self, state_dir: &Path) -> anyhow::Result<()> {
        replace(state_dir, NAME, &serde_json::to_vec(self)?, 0o644)
    }
}

/// Puts a file with these octets and this mode in the place of `dir/name`: the old or the new one is there at every moment, and the new one is on the disk in the end.
pub(crate) fn replace(dir: &Path, name: &str, octets: &[u8], mode: u32) -> anyhow::Result<()> {
    let (path, fresh) = (dir.join(name), dir.join(format!("{name}.new")));
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&fresh)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(dir)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn parse(octets: &[u8]) -> anyhow::Result<Saved> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_slice(octets)?;
    if version != VERSION {
        bail!("its layout is {version}, and this version reads {VERSION}");
    }
    Ok(serde_json::from_slice(octets)?)
}

/// Renames the file to one that nothing else is called.
pub(crate) fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let aside = path.with_extension(format!("damaged-{seconds}"));
    fs::rename(path, &aside).map(|()| aside)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn saved() -> Saved {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        Saved {
            version: VERSION,
            at,
            generation: 7,
            tables: Some("00ff".into()),
            packets: vec![SavedPackets { reason: "answered".into(), count: 5, in_kernel: 3 }],
            undelivered: BTreeMap::from([(
                "https://hooks.example.com/tm".to_owned(),
                vec![Message { id: "msg_1".to_owned(), at: SystemTime::UNIX_EPOCH, body: "{}".to_owned() }],
            )]),
            socket_messages: vec![Messages {
                transport: "tcp".into(),
                outcome: "engine".into(),
                rcode: "",
                count: 2,
            }],
            endpoints: vec![SavedEndpoint {
                profile: "contoso".into(),
                endpoint: "virginia".into(),
                target: "192.0.2.10".into(),
                verdict: Some(SavedVerdict { up: true, since: at, recovered: true }),
                details: None,
                answers: 4,
                in_kernel: 1,
                counters: vec![9, 12],
                forced: Some(Forced { up: false, since: at, until: Some(at) }),
                restored: Some(at),
                learnt: Some(SavedLearnt { region: "West Europe".into(), ms: 12.5 }),
            }],
            round_trips: vec![SavedRoundTrip {
                prefix: "203.0.113.0/24".into(),
                region: "West Europe".into(),
                ms: 12.5,
                samples: 3,
            }],
        }
    }

    fn files(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_stored_is_loaded_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Saved::load(dir.path()), None);
        saved().store(dir.path()).unwrap();
        assert_eq!(Saved::load(dir.path()), Some(saved()));
        assert_eq!(files(dir.path()), ["state.json"]);
    }

    #[test]
    fn a_damaged_file_is_set_aside_at_every_length() {
        let whole = serde_json::to_vec(&saved()).unwrap();
        for length in (0..whole.len()).step_by(7) {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(NAME), &whole[..length]).unwrap();
            assert_eq!(Saved::load(dir.path()), None, "{length}");
            let files = files(dir.path());
            assert!(files.len() == 1 && files[0].starts_with("state.damaged-"), "{files:?}");
        }
    }

    #[test]
    fn another_layout_is_not_guessed_at() {
        let other = Saved { version: 2, ..saved() };
        let error = parse(&serde_json::to_vec(&other).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "its layout is 2, and this version reads 1");
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named() {
        let error = saved().store(Path::new("/proc/none")).unwrap_err();
        assert_eq!(error.to_string(), "cannot write /proc/none/state.json");
    }
}
