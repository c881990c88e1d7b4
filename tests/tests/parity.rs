//! The loaded program and the engine on the host: same verdict, same octets, for every packet; and replies that code which shares nothing with the engine finds right.

use tm_common::{
    answer::answer,
    name::{LONG, SHORT},
    packet::Buffer,
    verdict::{Reason, Verdict},
};
use tm_tests::{classes, namespace::require_root, reply::check_reply};
use tm_userspace::{sync::Image, xdp::Kernel};

const PROFILES: usize = 200;

/// What the three programs do together, on the host.
fn host(frame: &[u8], image: &Image) -> (Verdict, Vec<u8>) {
    let mut octets = frame.to_vec();
    octets.resize(frame.len() + 1500, 0);
    let mut packet = Buffer::new(&mut octets, frame.len());
    let reason = match answer::<SHORT, false>(&mut packet, image) {
        Reason::Full => answer::<SHORT, true>(&mut packet, image),
        Reason::LongName => answer::<LONG, true>(&mut packet, image),
        reason => reason,
    };
    (reason.verdict(), packet.contents().to_vec())
}

/// Well-formed frames of every class, and each of some cut at every length and spoilt at every octet.
fn cases() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let whole: Vec<Vec<u8>> = classes::classes(PROFILES).into_iter().flat_map(|class| class.frames).collect();
    let mut spoilt = vec![];
    for frame in whole.iter().step_by(classes::FRAMES) {
        for length in 14..frame.len() {
            spoilt.push(frame[..length].to_vec());
        }
        for at in 0..frame.len() {
            for value in [0, 1, 63, 64, 128, 255] {
                let mut frame = frame.clone();
                frame[at] = value;
                spoilt.push(frame);
            }
        }
        for tags in [
            &[0x81, 0, 0, 5][..],
            &[0x81, 0, 0, 6],
            &[0x88, 0xa8, 0, 7, 0x81, 0, 0x20, 5],
            &[0x81, 0, 0, 7, 0x81, 0, 0, 9],
        ] {
            let mut tagged = frame.clone();
            tagged.splice(12..12, tags.iter().copied());
            spoilt.push(tagged);
        }
    }
    (whole, spoilt)
}

#[test]
fn kernel_and_host_agree_on_every_packet() {
    require_root();
    // The turns of weighted blocks are per CPU: all packets must meet one.
    let mut one = rustix::thread::CpuSet::new();
    one.set(0);
    rustix::thread::sched_setaffinity(None, &one).expect("this thread on one CPU");
    compare(&classes::image(PROFILES));
    // Tags with listed ids, one or two, are stepped over; other ids are not ours.
    compare(&classes::image_with_vlans(PROFILES, &[5, 7]));
}

fn compare(image: &Image) {
    let kernel = Kernel::load(image).expect("the programs load");
    let (whole, spoilt) = cases();
    let mut answered = 0;
    for frame in whole.iter().chain(&spoilt) {
        let (verdict, reply) = kernel.ask(frame).expect("the program runs");
        let (expected, octets) = host(frame, image);
        assert_eq!((verdict, &reply), (expected, &octets), "asked {frame:02x?}");
        match verdict {
            Verdict::Reply => {
                answered += 1;
                check_reply(&reply).unwrap_or_else(|error| panic!("{error:#}: {reply:02x?} to {frame:02x?}"));
            }
            Verdict::Pass => assert_eq!(&reply, frame, "passed up but changed"),
            Verdict::Abort => panic!("half written: {frame:02x?}"),
        }
    }
    // All classes but the miss, the foreign port and TCP are answered.
    assert!(answered >= whole.len() - 3 * classes::FRAMES, "{answered} of {}", whole.len());
}

#[test]
fn no_program_costs_the_verifier_more_than_promised() {
    require_root();
    for program in
        Kernel::load(&classes::image(PROFILES)).and_then(|kernel| kernel.programs()).expect("loads")
    {
        let verified = program.verified.expect("this kernel tells");
        assert!(verified <= 150_000, "{} takes {verified} verified instructions", program.name);
    }
}
