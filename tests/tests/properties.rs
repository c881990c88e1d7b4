//! The properties under random octets: near to what is right, and far from it.

use std::sync::LazyLock;

use proptest::prelude::{any, prop, proptest};
use tm_tests::{
    golden::{Case, cases},
    property::{check_frame, check_message, check_options, check_query, name::check_name},
};

static GOLDEN: LazyLock<Vec<Case>> = LazyLock::new(|| cases().expect("the golden cases are well-formed"));

proptest! {
    #[test]
    fn any_frame(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        check_frame(&octets);
    }

    #[test]
    fn any_message(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        check_message(&octets);
    }

    #[test]
    fn any_octets_behind_a_header(id: u16, counts in prop::array::uniform4(0..3u16), octets in prop::collection::vec(any::<u8>(), 0..100)) {
        let [a, b, c, d] = counts;
        check_message(&[[id, 0, a, b, c, d].map(u16::to_be_bytes).as_flattened(), &octets].concat());
    }

    #[test]
    fn any_query(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        check_query(&octets);
    }

    #[test]
    fn any_options(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        check_options(&octets);
    }

    #[test]
    fn any_name(octets in prop::collection::vec(any::<u8>(), 0..520), text in "([a-zA-Z0-9_.*-]|\\\\[0-9]{0,3}|.){0,80}") {
        check_name(&octets);
        check_name(text.as_bytes());
    }

    /// Messages with octets changed, cut and followed by others, in frames whose sums and lengths are right for them.
    #[test]
    fn golden_messages_with_octets_changed(
        case: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length: prop::sample::Index,
        cut: bool,
    ) {
        let mut frame = case.get(&GOLDEN).frame.clone();
        if !frame.payload.is_empty() {
            for (at, octet) in changes {
                let at = at.index(frame.payload.len());
                frame.payload[at] = octet;
            }
            frame.payload.truncate(if cut { length.index(frame.payload.len()) } else { usize::MAX });
        }
        check_frame(&frame.build());
        check_message(&frame.payload);
    }

    /// Frames with octets changed, which without their sums mended are mostly not answered.
    #[test]
    fn golden_frames_with_octets_changed(
        case: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut octets = case.get(&GOLDEN).frame.build();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        check_frame(&octets);
    }
}
