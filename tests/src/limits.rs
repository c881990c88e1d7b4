//! The zone of the tests with a limit on answers, and what is right of those who are over it, whenever a window ends.

use std::net::IpAddr;

use anyhow::Result;
use tm_common::verdict::Reason;
use tm_userspace::{desired::Limit, frozen::Frozen, sync::Image};

use crate::world::World;

/// The tables of the golden zone with so many answers a second, of which those over that are slipped one in so many, but for these prefixes.
pub fn image(answers_per_second: u32, slip: u32, allow: &[(IpAddr, u8)]) -> Result<Image> {
    let mut image = World::new()?.image;
    let limit = Limit { answers_per_second, slip };
    image.set_frozen(Frozen { limit, ..image.frozen().clone() });
    image.set_allowed(allow);
    Ok(image)
}

/// What becomes of so many packets in a row of one prefix and kind: in each window so many are answered, and of the rest one in `slip` is slipped. `ends` says before which packets a
/// window ends.
fn expected(packets: usize, answers: u32, slip: u32, ends: &[usize]) -> Vec<Reason> {
    let mut seen = 0;
    let mut said = vec![];
    for packet in 0..packets {
        seen = if ends.contains(&packet) { 1 } else { seen + 1 };
        said.push(match seen {
            _ if seen <= answers => Reason::Answered,
            _ if slip != 0 && (seen - answers).is_multiple_of(slip) => Reason::Slipped,
            _ => Reason::Limited,
        });
    }
    said
}

/// Is it what becomes of packets that are sent within two windows, wherever the one ends?
pub fn is_right(said: &[Reason], answers: u32, slip: u32) -> bool {
    (0..said.len()).any(|end| said == expected(said.len(), answers, slip, &[end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_window_or_two_and_nothing_else() {
        use Reason::{Answered as A, Limited as L, Slipped as S};
        for right in [[A, A, L, S, L, S], [A, A, L, A, A, L], [A, A, A, L, S, L], [A, A, L, S, L, A]] {
            assert!(is_right(&right, 2, 2), "{right:?}");
        }
        for wrong in [
            [A, L, L, S, L, S],
            [A, A, L, L, L, S],
            [A, A, A, A, A, L],
            [A, A, S, L, S, L],
            [L, A, A, L, S, L],
        ] {
            assert!(!is_right(&wrong, 2, 2), "{wrong:?}");
        }
        assert!(is_right(&[A, L, L, L], 1, 0) && is_right(&[A, S, S, A], 1, 1));
    }
}
