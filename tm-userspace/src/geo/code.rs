//! A code of the hierarchy: what it lies in, and what a mistyped one was meant to be.

use std::{collections::HashMap, fmt, iter, sync::LazyLock};

use serde::{Serialize, Serializer};

use super::hierarchy::{DIVISIONS, GROUPINGS, MISNOMERS};

/// A place that an endpoint may be mapped to: `WORLD`, `GEO-EU`, `DE`, `US-CA`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// The root: every client.
    pub const WORLD: Code = Code(0);

    /// The code so written, without regard to case.
    pub fn find(text: &str) -> Option<Code> {
        TABLE.by_text.get(text.to_ascii_uppercase().as_str()).copied()
    }

    /// The state or province of this country with this name or code; none where Azure does not tell it apart.
    pub fn division(self, text: &str) -> Option<Code> {
        let (country, divisions) = DIVISIONS.iter().find(|(country, _)| *country == self.as_str())?;
        let (code, _) = divisions
            .iter()
            .find(|(code, name)| code.eq_ignore_ascii_case(text) || name.eq_ignore_ascii_case(text))?;
        Code::find(&format!("{country}-{code}"))
    }

    /// What someone meant who wrote this, which is no code; none where that cannot be told.
    pub fn meant(text: &str) -> Option<Code> {
        let text = text.trim().to_ascii_uppercase().replace(['_', ' '], "-");
        let known = |text: &str| {
            let named = MISNOMERS.iter().find(|(misnomer, _)| *misnomer == text).map(|(_, code)| *code);
            Code::find(named.unwrap_or(text))
        };
        if let Some(code) = known(&text).or_else(|| division_anywhere(&text.replace('-', " "))) {
            return Some(code);
        }
        // Two letters are near to too many others.
        let near = |code: &Code| {
            let distance = strsim::damerau_levenshtein(&text, code.as_str());
            (code.as_str().len() > 3 && distance == 1 && code.parent().is_none_or(|up| up == Code::WORLD))
                .then_some(*code)
        };
        if let Some(code) = Code::all().find_map(|code| near(&code)) {
            return Some(code);
        }
        let (country, division) = text.split_once('-')?;
        let country = known(country)?;
        country.division(division).or(Some(country))
    }

    /// Every code, each after what it lies in.
    pub fn all() -> impl Iterator<Item = Code> {
        (0..).zip(TABLE.nodes).map(|(index, _)| Code(index))
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        &TABLE.nodes[usize::from(self.0)].text
    }

    /// What it lies in; none for `WORLD`.
    pub fn parent(self) -> Option<Code> {
        (self != Code::WORLD).then(|| TABLE.nodes[usize::from(self.0)].parent)
    }

    /// From this code, the most specific, up to `WORLD`.
    pub fn upwards(self) -> impl Iterator<Item = Code> {
        iter::successors(Some(self), |code| code.parent())
    }
}

/// The first country's state or province with this code or name.
fn division_anywhere(text: &str) -> Option<Code> {
    DIVISIONS.iter().find_map(|(country, _)| Code::find(country)?.division(text))
}

struct Node {
    text: String,
    parent: Code,
}

/// Every code; the root is the first.
struct Table {
    nodes: &'static [Node],
    by_text: HashMap<&'static str, Code>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

impl Table {
    fn new() -> Self {
        let mut nodes = vec![Node { text: "WORLD".to_owned(), parent: Code::WORLD }];
        // A few hundred codes: far fewer than a u16 counts.
        let mut add = |text: &str, parent: Code| {
            nodes.push(Node { text: text.to_owned(), parent });
            Code((nodes.len() - 1) as u16)
        };
        for (grouping, countries) in GROUPINGS {
            let grouping = add(grouping, Code::WORLD);
            for country in countries.split(' ') {
                let code = add(country, grouping);
                let divisions = DIVISIONS.iter().find(|(divided, _)| *divided == country);
                for (division, _) in divisions.map(|(_, divisions)| *divisions).unwrap_or_default() {
                    add(&format!("{country}-{division}"), code);
                }
            }
        }
        // The table is a static: what it owns lives as long as the program.
        let nodes: &'static [Node] = nodes.leak();
        let by_text = nodes.iter().zip(0..).map(|(node, index)| (node.text.as_str(), Code(index))).collect();
        Table { nodes, by_text }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upwards(text: &str) -> String {
        Code::find(text).unwrap().upwards().map(Code::as_str).collect::<Vec<_>>().join(" ")
    }

    fn meant(text: &str) -> &'static str {
        Code::meant(text).map_or("", Code::as_str)
    }

    #[test]
    fn a_code_lies_in_its_country_its_grouping_and_the_world() {
        assert_eq!(upwards("US-CA"), "US-CA US GEO-NA WORLD");
        assert_eq!(upwards("ca-yt"), "CA-YT CA GEO-NA WORLD");
        assert_eq!(upwards("YT"), "YT GEO-AF WORLD");
        assert_eq!(upwards("tr"), "TR GEO-ME WORLD");
        assert_eq!(upwards("CY"), "CY GEO-EU WORLD");
        assert_eq!(upwards("FK"), "FK GEO-SA WORLD");
        assert_eq!(upwards("AQ"), "AQ GEO-AN WORLD");
        assert_eq!(upwards("World"), "WORLD");
        for unknown in ["", "EH", "DE-BY", "US-XX", "CA-CA", "GEO", "XX"] {
            assert_eq!(Code::find(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_hierarchy_has_each_code_once() {
        // 8 groupings; 8 + 13 + 4 + 51 divisions.
        let below = |code: Code| Code::all().filter(|other| other.parent() == Some(code)).count();
        assert_eq!(below(Code::WORLD), 8);
        let divided: Vec<_> =
            ["AU", "CA", "GB", "US"].map(|country| below(Code::find(country).unwrap())).into();
        assert_eq!(divided, [8, 13, 4, 51]);
        assert_eq!(Code::all().count(), TABLE.by_text.len());
        let countries: usize = Code::all().filter(|code| code.parent() == Some(Code::WORLD)).map(below).sum();
        assert_eq!(Code::all().count(), 1 + 8 + countries + 76);
    }

    #[test]
    fn divisions_are_found_by_code_or_name() {
        let us = Code::find("US").unwrap();
        assert_eq!(us.division("ca"), Code::find("US-CA"));
        assert_eq!(us.division("District of Columbia"), Code::find("US-DC"));
        assert_eq!(us.division("QC"), None);
        assert_eq!(Code::find("DE").unwrap().division("BY"), None);
    }

    #[test]
    fn what_was_meant_is_guessed() {
        for (written, expected) in [
            ("uk", "GB"),
            ("Europe", "GEO-EU"),
            ("EU", "GEO-EU"),
            ("GEO-EUR", "GEO-EU"),
            ("GEO_NA", "GEO-NA"),
            ("WORD", "WORLD"),
            ("California", "US-CA"),
            ("TX", "US-TX"),
            ("US_CA", "US-CA"),
            ("UK-SCT", "GB-SCT"),
            ("DE-BY", "DE"),
            ("US-XX", "US"),
            ("QQ", ""),
            ("", ""),
            ("somewhere", ""),
        ] {
            assert_eq!(meant(written), expected, "{written}");
        }
    }
}
