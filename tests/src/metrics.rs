//! What a scraper is told: `curl` on the server, and the samples of what it prints.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::{client::said, lab::Lab};

/// Samples of one moment, by name and labels as they stand there.
#[derive(Clone, Debug)]
pub struct Scraped {
    /// All that was said.
    pub text: String,
    samples: BTreeMap<String, f64>,
}

impl Scraped {
    /// What the plain listener at this address of the server says.
    pub fn from(lab: &Lab, address: &str) -> Result<Self> {
        let url = format!("http://{address}/metrics");
        let text =
            said(lab.server("curl").args(["--silent", "--show-error", "--fail", "--max-time", "10", &url]))?;
        Self::read(text + "\n")
    }

    fn read(text: String) -> Result<Self> {
        let mut samples = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').with_context(|| format!("no sample: {line}"))?;
            let value = value.parse().with_context(|| format!("no number: {line}"))?;
            ensure!(samples.insert(name.to_owned(), value).is_none(), "twice: {line}");
        }
        Ok(Scraped { text, samples })
    }

    /// A sample, as `tm_answers_total{profile="web",endpoint="only"}`; none where there is none.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.samples.get(name).copied()
    }

    /// All samples of a metric that have changed since `before`, by their labels, with by how much.
    pub fn since(&self, before: &Scraped, metric: &str) -> Vec<(String, f64)> {
        let prefix = format!("{metric}{{");
        let of = self.samples.iter().filter_map(|(name, value)| {
            let labels = name.strip_prefix(&prefix)?.strip_suffix('}')?;
            let change = value - before.get(name).unwrap_or(0.0);
            (change != 0.0).then(|| (labels.to_owned(), change))
        });
        of.collect()
    }

    /// The names of all metrics; a histogram's parts each by its own.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.samples.keys().map(|name| name.split('{').next().unwrap_or(name)).collect();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_compared_by_their_labels() {
        let before = Scraped::read("# HELP a A.\na{b=\"c d\"} 1\na{b=\"e\"} 2\nf 1.5\n".to_owned()).unwrap();
        let after = Scraped::read("a{b=\"c d\"} 4\na{b=\"e\"} 2\nf 1.5\n".to_owned()).unwrap();
        assert_eq!(after.since(&before, "a"), [("b=\"c d\"".to_owned(), 3.0)]);
        assert_eq!((after.get("f"), after.get("g")), (Some(1.5), None));
        assert_eq!(after.names(), ["a", "f"]);
        assert!(Scraped::read("a 1\na 1\n".to_owned()).is_err());
    }
}
