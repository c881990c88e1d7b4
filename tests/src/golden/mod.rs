//! Golden cases: what is asked, what the programs make of it, and what is replied, as text in `golden/*.txt`, and in `golden/default/*.txt` what is otherwise where nothing is configured.
//!
//! ```text
//! [a name in mixed case is echoed as asked]
//! ask WeB.tm.example A +edns
//! xdp answered
//! NOERROR qr aa rd
//! ? WeB.tm.example. IN A
//! WeB.tm.example. 100 IN A 192.0.2.10
//! edns 0 udp 1232
//! ```
//!
//! `ask` is in the words of [`words`]. `xdp` names the [`Reason`]: answered, or why it is passed up. What follows is the reply in the words of
//! [`dig`](mod@crate::dig), whoever gives it; `silence` where there is none. Where nothing follows, the kernel's stack decides what becomes of the frame.
//! Several `ask` lines in a row are asked alike. Lines that begin with `#` are for people.

mod words;

use std::fmt;

use anyhow::{Context, Result, bail, ensure};
use hickory_proto::op::Message;
use include_dir::{Dir, include_dir};
use tm_common::verdict::Reason;
use tm_userspace::dns::{Responder, Transport};

use crate::{dig::text, frame::Frame, reply::check_reply};

pub use words::frame;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/golden");

/// What is said where nothing is.
const SILENCE: &str = "silence\n";

/// One question of a case, and all that it leads to.
#[derive(Debug)]
pub struct Case {
    /// File and title.
    pub place: String,
    /// The line that asks.
    pub words: String,
    /// What is asked.
    pub frame: Frame,
    /// Is it asked of the sockets over TCP instead of UDP? Then no program sees it.
    pub over_tcp: bool,
    /// What the programs count it under.
    pub reason: String,
    /// The reply as text; none where the stack decides.
    pub reply: Option<String>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.words)
    }
}

/// Every case of every file, for the [`World`](crate::world::World) as the files have it.
pub fn cases() -> Result<Vec<Case>> {
    cases_in(&FILES)
}

/// Those of `golden/default`, for the one by default.
pub fn cases_by_default() -> Result<Vec<Case>> {
    cases_in(FILES.get_dir("default").context("there is no golden/default")?)
}

fn cases_in(directory: &Dir<'_>) -> Result<Vec<Case>> {
    let mut cases = vec![];
    for file in directory.files() {
        let name = file.path().display().to_string();
        let contents = file.contents_utf8().with_context(|| format!("{name} is not text"))?;
        let lines: String = contents
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(|line| [line.trim_end(), "\n"])
            .collect();
        for case in lines.split("\n\n").map(str::trim).filter(|case| !case.is_empty()) {
            cases.extend(read(&name, case)?);
        }
    }
    ensure!(!cases.is_empty(), "there are no golden cases");
    Ok(cases)
}

fn read(file: &str, case: &str) -> Result<Vec<Case>> {
    let mut lines = case.lines().peekable();
    let title = lines.next().unwrap_or_default();
    let title = title.strip_prefix('[').and_then(|title| title.strip_suffix(']'));
    let place = format!("{file}: {}", title.with_context(|| format!("{file}: no [title] above {case}"))?);
    let mut asked = vec![];
    while let Some(words) = lines.next_if(|line| line.starts_with("ask ")) {
        asked.push(&words["ask ".len()..]);
    }
    ensure!(!asked.is_empty(), "{place}: nothing is asked");
    let reason = lines
        .next()
        .and_then(|line| line.strip_prefix("xdp "))
        .with_context(|| format!("{place}: no xdp line"))?;
    let reply: String = lines.flat_map(|line| [line, "\n"]).collect();
    let case = |words: &str| {
        let (frame, over_tcp) = frame(words).with_context(|| format!("{place}: {words}"))?;
        let reply = (!reply.is_empty()).then(|| in_case(&reply, words));
        Ok(Case {
            place: place.clone(),
            words: words.to_owned(),
            frame,
            over_tcp,
            reason: reason.to_owned(),
            reply,
        })
    };
    asked.into_iter().map(case).collect()
}

/// `@` in a reply stands for the name as it was asked.
fn in_case(reply: &str, words: &str) -> String {
    let name = words.split(' ').next().unwrap_or_default();
    let dot = if name.ends_with('.') { "" } else { "." };
    reply.replace('@', &format!("{name}{dot}"))
}

impl Case {
    /// Was this right of programs, or of the engine, that were given the frame?
    pub fn judge(&self, (reason, out): (Reason, Vec<u8>)) -> Result<()> {
        ensure!(reason.label() == self.reason, "{self}: {} instead of {}", reason.label(), self.reason);
        match reason {
            Reason::Answered => {
                let reply = check_reply(&out).with_context(|| self.to_string())?;
                self.compare(text(&reply.message))
            }
            _ => {
                ensure!(out == self.frame.build(), "{self}: passed up but changed");
                Ok(())
            }
        }
    }

    /// Asks the sockets, where the stack would hand them the message.
    pub fn ask_sockets(&self, responder: &Responder) -> Result<()> {
        self.ask_over(responder, if self.over_tcp { Transport::Tcp } else { Transport::Udp })
    }

    /// Asks them over a connection, over which the same is said but for what was cut.
    pub fn ask_connections(&self, responder: &Responder) -> Result<()> {
        let is_cut = |reply: &String| reply.lines().next().is_some_and(|line| line.contains(" tc"));
        match self.reply.as_ref().is_some_and(is_cut) {
            true => Ok(()),
            false => self.ask_over(responder, Transport::Tcp),
        }
    }

    fn ask_over(&self, responder: &Responder, transport: Transport) -> Result<()> {
        if self.reply.is_none() {
            return Ok(());
        }
        match responder.reply(&self.frame.payload, self.frame.source.ip(), transport) {
            None => self.compare(SILENCE.to_owned()),
            Some(reply) => self.compare(text(&Message::from_vec(&reply).context("no message")?)),
        }
    }

    fn compare(&self, said: String) -> Result<()> {
        let Some(reply) = &self.reply else { bail!("{self}: no reply was expected, but\n{said}") };
        ensure!(said == *reply, "{self}:\n{said}instead of\n{reply}");
        Ok(())
    }
}
