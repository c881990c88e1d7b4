//! Weights laid out as slots.
//!
//! A block is walked slot by slot, so over a whole round every share is exact. Within a round the shares are spread as evenly as they can be: at
//! every slot the endpoint that lags most behind its share is next, so after any number of answers each endpoint has been given its due within one or two.

use tm_common::tables::MOST_SLOTS;

/// For each slot the index of a weight; no slot for no weight. Weights that reduce to a sum of at most 1,024 are kept exactly; others are rounded to 1,024 parts, each share
/// within 0.1 % of all answers: of more than 1,024 weights, some get none. No weight is zero, and each is below 2^33.
pub fn interleave(weights: &[u64]) -> Vec<usize> {
    spread(parts(weights))
}

/// The same in a full block of 1,024 slots, whatever the weights reduce to, so that other weights of the same endpoints make a block of the same length.
pub fn interleave_full(weights: &[u64]) -> Vec<usize> {
    spread(if weights.is_empty() { vec![] } else { rounded(weights) })
}

fn spread(parts: Vec<i64>) -> Vec<usize> {
    let (index, parts): (Vec<usize>, Vec<i64>) =
        parts.into_iter().enumerate().filter(|(_, part)| *part > 0).unzip();
    let total: i64 = parts.iter().sum();
    let mut credit = vec![0i64; parts.len()];
    (0..total)
        .map(|_| {
            for (credit, part) in credit.iter_mut().zip(&parts) {
                *credit += part;
            }
            // The first of equals, so that the result is a function of the input.
            let next = (0..parts.len()).rev().max_by_key(|i| credit[*i]).unwrap_or(0);
            credit[next] -= total;
            index[next]
        })
        .collect()
}

/// The weights over their greatest common divisor; where that sums to more than a block holds, the nearest whole parts of a full block, by largest remainder.
fn parts(weights: &[u64]) -> Vec<i64> {
    let divisor = weights.iter().fold(0, |a, b| gcd(a, *b)).max(1);
    let reduced: Vec<u64> = weights.iter().map(|weight| weight / divisor).collect();
    let total: u64 = reduced.iter().sum();
    if total <= u64::from(MOST_SLOTS) {
        return reduced.iter().map(|part| *part as i64).collect();
    }
    rounded(&reduced)
}

/// The nearest whole parts of a full block.
fn rounded(reduced: &[u64]) -> Vec<i64> {
    let most = u64::from(MOST_SLOTS);
    let total = reduced.iter().sum::<u64>();
    let mut parts: Vec<u64> = reduced.iter().map(|part| part * most / total).collect();
    let mut by_remainder: Vec<usize> = (0..reduced.len()).collect();
    by_remainder.sort_by_key(|i| std::cmp::Reverse(reduced[*i] * most % total));
    let missing = most - parts.iter().sum::<u64>();
    for i in by_remainder.into_iter().take(missing as usize) {
        parts[i] += 1;
    }
    parts.into_iter().map(|part| part as i64).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
