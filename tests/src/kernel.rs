//! What is checked on each kernel: that it takes our programs within their budgets, and that they answer as the engine on the host does.
//!
//! A check is a name and a function; add one to [`CHECKS`] and it runs on the kernel at hand and in every virtual machine.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
};

use anyhow::{Context, Result, ensure};
use aya::{
    Ebpf, EbpfLoader, VerifierLogLevel,
    programs::{ProgramError, TestRun, TestRunOptions, Xdp},
};

use tm_common::verdict::{Reason, Verdict};
use tm_userspace::{places::Place, sync::Image, xdp::Kernel};

use crate::{
    classes::{classes, image_with_vlans},
    corpus,
    frame::Frame,
    golden,
    host::answer_frame,
    limits,
    objects::{PROGRAM, RIG},
    parity::{Pair, ask, spoilt, stay_on},
    query::{Edns, Query, qtype},
    reply::check_reply,
    world::World,
};

/// The map that only programs built to log have.
const LOGS: &str = "AYA_LOGS";

/// One check; what it returns is printed beside its name.
pub type Check = fn() -> Result<String>;

/// All of them, in the order they run.
pub const CHECKS: &[(&str, Check)] = &[
    ("load the product", load_product),
    ("load the product with VLANs", load_product_with_vlans),
    ("load the rig", load_rig),
    ("pass a packet", pass_a_packet),
    ("answer every class", answer_every_class),
    ("answer the corpus", answer_the_corpus),
    ("answer the golden cases", answer_the_golden_cases),
    ("ask a twin", ask_a_twin),
    ("keep to the limit", keep_to_the_limit),
];

/// Runs every check, prints a line for each and returns how many passed and failed.
pub fn run_checks() -> (usize, usize) {
    let (mut passed, mut failed) = (0, 0);
    for (name, check) in CHECKS {
        match check() {
            Ok(said) => {
                passed += 1;
                println!("{name}: {said}");
            }
            Err(error) => {
                failed += 1;
                println!("{name}: FAILED: {error:#}");
            }
        }
    }
    (passed, failed)
}

/// The kernel's release, such as `6.1.0-56-cloud-amd64`.
pub fn release() -> Result<String> {
    let text =
        fs::read_to_string("/proc/sys/kernel/osrelease").context("cannot read the kernel's release")?;
    Ok(text.trim().to_owned())
}

/// Most instructions that the verifier may walk for one program: old kernels remember less and walk more, and a program that logs has more to walk.
fn budget(release: &str, logs: bool) -> u32 {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let once = if version >= (6, 18) { 150_000 } else { 300_000 };
    if logs { 2 * once } else { once }
}

fn load_product() -> Result<String> {
    load(&mut EbpfLoader::new(), PROGRAM).map(|(_, said)| said)
}

/// What a switch leaves out is not verified; these add paths.
fn load_product_with_vlans() -> Result<String> {
    let mut loader = EbpfLoader::new();
    loader.override_global("VLANS_LISTED", &1_u8, true).override_global("ROUTED", &1_u8, true);
    load(&mut loader, PROGRAM).map(|(_, said)| said)
}

fn load_rig() -> Result<String> {
    load(&mut EbpfLoader::new(), RIG).map(|(_, said)| said)
}

/// Loads every program of an object and says how much of the verifier's budget each takes.
fn load(loader: &mut EbpfLoader<'_>, object: &[u8]) -> Result<(Ebpf, String)> {
    let mut loaded = loader.verifier_log_level(VerifierLogLevel::STATS).load(object)?;
    let most = budget(&release()?, loaded.map(LOGS).is_some());
    let mut names: Vec<String> = loaded.programs().map(|(name, _)| name.to_owned()).collect();
    names.sort();
    let mut said = Vec::new();
    for name in &names {
        let program: &mut Xdp = loaded.program_mut(name).context("a program vanished")?.try_into()?;
        program.load().map_err(|error| refused(name, error))?;
        let info = program.info()?;
        let walked = info.verified_instruction_count().context("the kernel does not say what it verified")?;
        ensure!(walked <= most, "{name} takes {walked} verified instructions, more than {most}");
        let size = info.size_translated().unwrap_or(0);
        said.push(format!("{name} verified {walked} (at most {most}), {size} bytes"));
    }
    ensure!(!said.is_empty(), "the object holds no programs");
    Ok((loaded, said.join("; ")))
}

/// The end of the verifier's log: the reason stands there, after thousands of lines that led to it.
fn refused(name: &str, error: ProgramError) -> anyhow::Error {
    let ProgramError::LoadError { io_error, verifier_log } = error else {
        return anyhow::Error::new(error).context(format!("cannot load {name}"));
    };
    let log = verifier_log.to_string();
    let mut end: Vec<&str> = log.lines().rev().take(12).collect();
    end.reverse();
    anyhow::Error::new(io_error)
        .context(format!("the kernel refused {name}:\n    {}\n   ", end.join("\n    ")))
}

fn pass_a_packet() -> Result<String> {
    const XDP_PASS: u32 = 2;
    let (loaded, _) = load(&mut EbpfLoader::new(), RIG)?;
    let program: &Xdp = loaded.program("pass").context("the rig has no program `pass`")?.try_into()?;
    let (frame, mut out) = ([0x5a_u8; 90], [0_u8; 256]);
    let result = program.test_run(TestRunOptions {
        data_in: Some(&frame),
        data_out: Some(&mut out),
        ..TestRunOptions::default()
    })?;
    ensure!(result.return_value == XDP_PASS, "returned {}", result.return_value);
    ensure!(out[..frame.len()] == frame, "the frame came out changed");
    Ok("returned unchanged".to_owned())
}

/// Some frames of each class, and one of them spoilt in every way: as on the host.
fn answer_every_class() -> Result<String> {
    const PROFILES: usize = 200;
    // An emulated machine is slow: not all of them.
    let some = |frames: &[Vec<u8>], step: usize| frames.iter().step_by(step).cloned().collect::<Vec<_>>();
    let classes = classes(PROFILES);
    let whole = classes.iter().flat_map(|class| some(&class.frames, 32));
    let spoilt = classes.iter().flat_map(|class| some(&spoilt(&class.frames[0]), 7));
    compare(image_with_vlans(PROFILES, &[5, 7]), &whole.chain(spoilt).collect::<Vec<_>>())
}

fn answer_the_corpus() -> Result<String> {
    compare(World::new()?.image, &corpus::frames())
}

/// What is answered is the same as on the host, and how often for which reason.
fn compare(image: Image, frames: &[Vec<u8>]) -> Result<String> {
    let reasons = Pair::load(image)?.ask_all(frames)?;
    ensure!(reasons.contains_key("answered"), "none was answered: {reasons:?}");
    let said: Vec<_> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    Ok(format!("as on the host: {}", said.join(", ")))
}

fn answer_the_golden_cases() -> Result<String> {
    let pair = Pair::load(World::new()?.image)?;
    let cases: Vec<_> = golden::cases()?.into_iter().filter(|case| !case.over_tcp).collect();
    for case in &cases {
        case.judge(pair.ask(&case.frame.build())?)?;
    }
    Ok(format!("{} as they should be", cases.len()))
}

/// A twin says what is answered at whichever turn, and those whose tables it reads go on as if nobody had asked.
fn ask_a_twin() -> Result<String> {
    stay_on(0)?;
    let image = World::new()?.image;
    let kernel = Kernel::load(&image)?;
    let mut twin = kernel.model()?.load()?;
    let mut given = 0;
    // In the first program, and through both tail calls.
    for (name, edns) in [("split", Edns::default()), ("heavy", Edns::default()), ("names", with_client())] {
        let name = format!("{name}.tm.example");
        let block =
            image.block(&name.parse()?, Place::ANYWHERE, qtype::A).context("the zone has no such name")?;
        let query = Query { edns: Some(edns), ..Query::new(&name, qtype::A) };
        let frame = Frame::v4(query.build()).build();
        let due: Vec<_> = (0..block.count).map(|_| answer_frame(&frame, &image).1).collect();
        ensure!(due.len() > 1 && due.iter().any(|other| *other != due[0]), "{name} has no turns");
        for now in &due {
            for (turn, due) in (0..).zip(&due) {
                let (verdict, reply, reason) = twin.ask(&frame, block.turn, turn)?;
                ensure!((verdict, reason) == (Verdict::Reply, Reason::Answered), "{reason:?}");
                ensure!(reply == *due, "at turn {turn} the twin says {reply:02x?}, and not {due:02x?}");
            }
            ensure!(kernel.ask(&frame)?.1 == *now, "the twin took a turn");
            given += 1;
        }
    }
    let unknown = Frame::v4(Query::with_edns("www.nobody.test", qtype::A).build()).build();
    let (verdict, reply, reason) = twin.ask(&unknown, 0, 0)?;
    ensure!((verdict, reason) == (Verdict::Pass, Reason::UnknownName) && reply == unknown, "{reason:?}");
    let counted = kernel.counters().read(u32::MAX).reasons();
    ensure!(counted.iter().sum::<u64>() == given && counted[0] == given, "the twin was counted: {counted:?}");
    Ok(format!("leaves no trace beside {given} answers"))
}

/// A window has so many answers; of the rest one in two is slipped, behind each of the programs that answer.
fn keep_to_the_limit() -> Result<String> {
    stay_on(0)?;
    let kernel = Kernel::load(&limits::image(4, 2, &[])?)?;
    let mut slipped = 0;
    for (i, (name, edns)) in (0..).zip([
        ("web.tm.example", Edns::default()),
        ("web.tm.example", with_client()),
        ("nobody.tm.example", Edns::default()),
        ("nobody.tm.example", with_client()),
    ]) {
        let query = Query { edns: Some(edns), ..Query::new(name, qtype::A) }.build();
        for frame in [Frame::v4(query.clone()), Frame::v6(query)] {
            let source: IpAddr = match frame.source {
                SocketAddr::V4(_) => [10, 99, i, 7].into(),
                SocketAddr::V6(_) => [0xfd99, 0, 0, u16::from(i) << 8, 0, 0, 0, 7].into(),
            };
            let frame = Frame { source: (source, 40_053).into(), ..frame }.build();
            let said = (0..16).map(|_| ask(&kernel, &frame)).collect::<Result<Vec<_>>>()?;
            let reasons: Vec<Reason> = said.iter().map(|(reason, _)| *reason).collect();
            ensure!(limits::is_right(&reasons, 4, 2), "{name}: {reasons:?}");
            for (_, octets) in said.iter().filter(|(reason, _)| *reason == Reason::Slipped) {
                let reply = check_reply(octets)?;
                ensure!(reply.message.metadata.truncation && octets.len() <= frame.len(), "{octets:02x?}");
                slipped += 1;
            }
        }
    }
    Ok(format!("{slipped} slipped"))
}

/// The client's subnet: an option that the first program leaves to another.
fn with_client() -> Edns {
    Edns { options: vec![(8, vec![0, 1, 24, 0, 203, 0, 113])], ..Edns::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_follows_the_kernel() {
        assert_eq!(budget("6.1.0-56-cloud-amd64", false), 300_000);
        assert_eq!(budget("6.12.117+deb12-cloud-amd64", false), 300_000);
        assert_eq!(budget("6.18.44", false), 150_000);
        assert_eq!(budget("7.0.1", false), 150_000);
        assert_eq!(budget("6.18.44", true), 300_000);
    }

    #[test]
    fn this_kernel_passes_every_check() {
        crate::namespace::require_root();
        assert_eq!(run_checks(), (CHECKS.len(), 0));
    }
}
