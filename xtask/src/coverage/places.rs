//! Which places of the code were gone through, of what `llvm-cov export` tells of each function.
//!
//! A generic function is told of once for each form that it was compiled in. A place counts as gone through where any of them was: one form's constants leave it ways that
//! only another one takes.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

/// Part of the name that the compiler gives every function of a test.
const OF_TESTS: &str = "5tests";

/// From where to where in which file: lines and columns from 1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: String,
    from: (u64, u64),
    to: (u64, u64),
}

/// How often each place was gone through.
#[derive(Default)]
pub(super) struct Places {
    /// Each condition: how often it was true, and false.
    conditions: BTreeMap<Place, [u64; 2]>,
    /// Each stretch of code that runs as one, such as an arm of a `match` or the way out that a `?` takes.
    stretches: BTreeMap<Place, u64>,
}

/// Of a number of ways through the code, those that were taken.
pub(super) struct Share {
    /// How many there are.
    pub(super) all: usize,
    /// Where those begin that were not, in words.
    pub(super) missed: Vec<String>,
}

impl Share {
    /// In percent.
    pub(super) fn percent(&self) -> f64 {
        100.0 * (self.all - self.missed.len()) as f64 / self.all.max(1) as f64
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} % ({} of {})", self.percent(), self.all - self.missed.len(), self.all)
    }
}

impl Places {
    /// Those in files below a directory, by what `llvm-cov export` says.
    pub(super) fn read(exported: &str, below: &Path) -> Result<Self> {
        let exported: Value = serde_json::from_str(exported).context("llvm-cov exports no JSON")?;
        let mut places = Places::default();
        for function in list(&exported["data"][0]["functions"]) {
            if function["name"].as_str().is_some_and(|name| name.contains(OF_TESTS)) {
                continue;
            }
            let file = |index: u64| {
                let path = Path::new(function["filenames"][index as usize].as_str()?);
                Some(path.strip_prefix(below).ok()?.display().to_string())
            };
            for branch in list(&function["branches"]) {
                if let [from, below, to, end, yes, no, index, ..] = numbers(branch)[..]
                    && let Some(file) = file(index)
                {
                    let place = Place { file, from: (from, below), to: (to, end) };
                    let counts = places.conditions.entry(place).or_default();
                    *counts = [counts[0] + yes, counts[1] + no];
                }
            }
            for region in list(&function["regions"]) {
                // The last number is the kind, which is 0 where code is.
                if let [from, below, to, end, count, index, _, 0] = numbers(region)[..]
                    && let Some(file) = file(index)
                {
                    let place = Place { file, from: (from, below), to: (to, end) };
                    *places.stretches.entry(place).or_default() += count;
                }
            }
        }
        Ok(places)
    }

    /// Both ways of each condition.
    pub(super) fn branches(&self, below: &Path) -> Share {
        let ways = |(place, counts): (&Place, &[u64; 2])| {
            let said = |what: &str| format!("{}: never {what}", place.shown(below));
            let missed = [(counts[0], "true"), (counts[1], "false")];
            missed
                .into_iter()
                .filter(|(count, _)| *count == 0)
                .map(|(_, what)| said(what))
                .collect::<Vec<_>>()
        };
        Share { all: 2 * self.conditions.len(), missed: self.conditions.iter().flat_map(ways).collect() }
    }

    /// Each stretch.
    pub(super) fn stretches(&self, below: &Path) -> Share {
        let missed = self.stretches.iter().filter(|(_, count)| **count == 0);
        Share { all: self.stretches.len(), missed: missed.map(|(place, _)| place.shown(below)).collect() }
    }
}

impl Place {
    /// File, line and the text there.
    fn shown(&self, below: &Path) -> String {
        let text = fs::read_to_string(below.join(&self.file)).unwrap_or_default();
        let line = text.lines().nth(self.from.0 as usize - 1).unwrap_or_default();
        let from = self.from.1 as usize - 1;
        let to = if self.to.0 == self.from.0 { self.to.1 as usize - 1 } else { line.len() };
        format!(
            "{}:{}: `{}` in `{}`",
            self.file,
            self.from.0,
            line.get(from..to).unwrap_or_default(),
            line.trim()
        )
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn numbers(value: &Value) -> Vec<u64> {
    list(value).iter().filter_map(Value::as_u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_where_any_form_of_its_function_was_there() {
        let exported = r#"{"data": [{"functions": [
            {"name": "f1", "filenames": ["/w/a.rs"], "branches": [[1, 4, 1, 9, 2, 0, 0, 0, 4]],
             "regions": [[1, 1, 3, 2, 2, 0, 0, 0], [2, 5, 2, 9, 0, 0, 0, 0], [2, 1, 2, 2, 0, 0, 0, 2]]},
            {"name": "f2", "filenames": ["/w/a.rs"], "branches": [[1, 4, 1, 9, 0, 3, 0, 0, 4], [2, 1, 2, 4, 1, 0, 0, 0, 4]],
             "regions": [[1, 1, 3, 2, 1, 0, 0, 0], [3, 1, 3, 4, 0, 0, 0, 0]]},
            {"name": "a5tests1", "filenames": ["/w/a.rs"], "branches": [[9, 1, 9, 2, 0, 0, 0, 0, 4]], "regions": []},
            {"name": "g", "filenames": ["/elsewhere/b.rs"], "branches": [[1, 1, 1, 2, 0, 0, 0, 0, 4]], "regions": []}
        ]}]}"#;
        let places = Places::read(exported, Path::new("/w")).unwrap();
        let branches = places.branches(Path::new("/w"));
        assert_eq!((branches.all, branches.missed.len(), branches.percent()), (4, 1, 75.0));
        assert_eq!(branches.to_string(), "75.00 % (3 of 4)");
        assert!(branches.missed[0].starts_with("a.rs:2: ") && branches.missed[0].ends_with("never false"));
        let stretches = places.stretches(Path::new("/w"));
        assert_eq!((stretches.all, stretches.missed.len()), (3, 2));
    }
}
