//! What the codes of the hierarchy are called.

use std::{collections::HashMap, sync::LazyLock};

use super::{Code, hierarchy::DIVISIONS, lines};

impl Code {
    /// Its name in English: `Europe`, `Germany`, `California`.
    pub fn name(self) -> &'static str {
        NAMES.get(&self).copied().unwrap_or_else(|| self.as_str())
    }

    /// What lies in it, one level below, by name.
    pub fn below(self) -> Vec<Code> {
        let mut below: Vec<Code> = Code::all().filter(|code| code.parent() == Some(self)).collect();
        below.sort_by_key(|code| code.name());
        below
    }
}

static NAMES: LazyLock<HashMap<Code, &'static str>> = LazyLock::new(|| {
    let listed = lines(include_str!("data/names.csv")).filter_map(|line| {
        let (code, name) = line.split_once(',')?;
        Some((Code::find(code)?, name))
    });
    let divisions = DIVISIONS.iter().flat_map(|(country, divisions)| {
        divisions
            .iter()
            .filter_map(move |(code, name)| Some((Code::find(&format!("{country}-{code}"))?, *name)))
    });
    listed.chain(divisions).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own() {
        for code in Code::all() {
            assert!(NAMES.contains_key(&code), "{code}");
        }
        let name = |text: &str| Code::find(text).unwrap().name();
        assert_eq!(
            ["WORLD", "GEO-EU", "DE", "US-CA"].map(name),
            ["World", "Europe", "Germany", "California"]
        );
    }

    #[test]
    fn what_lies_below_is_in_the_order_of_the_names() {
        let below = Code::find("GB").unwrap().below();
        assert_eq!(
            below.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
            ["GB-ENG", "GB-NIR", "GB-SCT", "GB-WLS"]
        );
        assert_eq!(Code::WORLD.below().len(), 8);
        assert_eq!(Code::find("DE").unwrap().below(), []);
    }
}
