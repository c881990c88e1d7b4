//! What was found wrong, where, and what to write instead.

use std::{
    error::Error,
    fmt,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use serde::Serialize;

/// Problems shown; the rest are counted.
pub(super) const SHOWN_AT_MOST: usize = 50;

/// Everything that is wrong with a configuration; never empty.
#[derive(Debug)]
pub struct ConfigError {
    pub(super) findings: Vec<Finding>,
}

/// One thing that is wrong, for scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file it is in.
    pub file: PathBuf,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Column in characters, from 1; 0 where the file as a whole is meant.
    pub column: usize,
    /// The offending text; empty where the file as a whole is meant.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The other place that this one contradicts.
    pub other: Option<Location>,
}

/// A place in a file, for scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The text there.
    pub text: String,
}

impl ConfigError {
    /// Every problem, in the order of the files and of the text.
    pub fn problems(&self) -> Vec<Problem> {
        self.findings.iter().map(Finding::problem).collect()
    }
}

impl fmt::Display for ConfigError {
    /// A line for each problem: `file:line:column: message (help)`; of very many, the first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().take(SHOWN_AT_MOST).enumerate() {
            let end_of_last = if index > 0 { "\n" } else { "" };
            write!(f, "{end_of_last}{}: {} ({})", finding.place, finding.message, finding.help)?;
        }
        match self.findings.len().saturating_sub(SHOWN_AT_MOST) {
            0 => Ok(()),
            hidden => write!(f, "\nand {hidden} more"),
        }
    }
}

impl Error for ConfigError {}

/// A file as it was read.
#[derive(Debug)]
pub(super) struct Source {
    /// Its place in the order of reading.
    pub(super) order: usize,
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Where the lines begin, once someone asked.
    lines: OnceLock<Vec<usize>>,
    /// See [`Source::shown`], once someone asked.
    shown: OnceLock<Arc<str>>,
}

/// A stretch of a file, or a file as a whole.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) source: Arc<Source>,
    pub(super) span: Option<Range<usize>>,
}

/// One thing that is wrong.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) help: String,
    /// Another place and what is there.
    pub(super) other: Option<(Place, String)>,
}

/// Why a value cannot be taken, wherever it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) help: String,
}

/// What has been found so far in all files.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) findings: Vec<Finding>,
    pub(super) warnings: Vec<String>,
}

/// Takes down what is found in one file.
pub(super) struct Notes<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) found: &'a mut Found,
}

impl Source {
    pub(super) fn new(order: usize, path: &Path, text: String) -> Arc<Self> {
        Arc::new(Source {
            order,
            path: path.to_owned(),
            text,
            lines: OnceLock::new(),
            shown: OnceLock::new(),
        })
    }

    /// The text with what a terminal might obey replaced, octet for octet.
    pub(super) fn shown(&self) -> Arc<str> {
        let replace = |shown: &mut String, char: char| match char {
            '\n' | '\r' | '\t' => shown.push(char),
            _ if char.is_control() => shown.extend(std::iter::repeat_n('?', char.len_utf8())),
            _ => shown.push(char),
        };
        let make = || {
            let mut shown = String::with_capacity(self.text.len());
            self.text.chars().for_each(|char| replace(&mut shown, char));
            shown.into()
        };
        self.shown.get_or_init(make).clone()
    }

    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let lines = self.lines.get_or_init(|| {
            let newlines = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect()
        });
        let line = lines.partition_point(|&start| start <= offset);
        let start = lines.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        // A byte order mark is no column.
        let mark = usize::from(line == 1 && before.starts_with('\u{feff}'));
        (line, before.chars().count() + 1 - mark)
    }
}

impl Place {
    pub(super) fn whole(source: &Arc<Source>) -> Self {
        Place { source: source.clone(), span: None }
    }

    pub(super) fn at(source: &Arc<Source>, span: Range<usize>) -> Self {
        Place { source: source.clone(), span: Some(span) }
    }

    /// The text there.
    fn text(&self) -> &str {
        self.span.clone().and_then(|span| self.source.text.get(span)).unwrap_or_default()
    }

    /// Line and column, from 1; zeros for a whole file.
    pub(super) fn line_and_column(&self) -> (usize, usize) {
        self.span.as_ref().map_or((0, 0), |span| self.source.line_and_column(span.start))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.source.path.display();
        match self.line_and_column() {
            (0, _) => write!(f, "{path}"),
            (line, column) => write!(f, "{path}:{line}:{column}"),
        }
    }
}

impl Finding {
    fn problem(&self) -> Problem {
        let (line, column) = self.place.line_and_column();
        Problem {
            file: self.place.source.path.clone(),
            line,
            column,
            text: self.place.text().to_owned(),
            message: self.message.clone(),
            help: self.help.clone(),
            other: self.other.as_ref().map(|(place, _)| {
                let (line, column) = place.line_and_column();
                Location { file: place.source.path.clone(), line, column, text: place.text().to_owned() }
            }),
        }
    }
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Fault { message: message.into(), help: help.into() }
    }
}

impl Found {
    pub(super) fn add(&mut self, place: Place, fault: Fault) {
        self.findings.push(Finding { place, message: fault.message, help: fault.help, other: None });
    }

    /// As [`Found::add`], pointing at a second place and saying what is there.
    pub(super) fn add_beside(&mut self, place: Place, fault: Fault, other: Place, label: &str) {
        let other = Some((other, label.to_owned()));
        self.findings.push(Finding { place, message: fault.message, help: fault.help, other });
    }

    pub(super) fn warn(&mut self, place: &Place, message: impl fmt::Display) {
        self.warnings.push(format!("{place}: {message}"));
    }

    pub(super) fn into_error(mut self) -> ConfigError {
        self.findings.sort_by_key(|Finding { place, .. }| {
            (place.source.order, place.span.as_ref().map_or(0, |span| span.start))
        });
        ConfigError { findings: self.findings }
    }
}

impl Notes<'_> {
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place::at(self.source, span)
    }

    /// How much was found to be wrong so far.
    pub(super) fn faults(&self) -> usize {
        self.found.findings.len()
    }

    /// What was written there.
    pub(super) fn text(&self, span: Range<usize>) -> &str {
        self.source.text.get(span).unwrap_or_default()
    }

    pub(super) fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.fault(span, Fault::new(message, help));
    }

    pub(super) fn fault(&mut self, span: Range<usize>, fault: Fault) {
        let place = self.place(span);
        self.found.add(place, fault);
    }

    /// An error about the file as a whole.
    pub(super) fn whole(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.found.add(Place::whole(self.source), Fault::new(message, help));
    }

    /// `span` contradicts `other`, which bears `label`.
    pub(super) fn clash(&mut self, span: Range<usize>, fault: Fault, other: Range<usize>, label: &str) {
        let (place, other) = (self.place(span), self.place(other));
        self.found.add_beside(place, fault, other, label);
    }

    pub(super) fn warn(&mut self, span: Range<usize>, message: impl fmt::Display) {
        let place = self.place(span);
        self.found.warn(&place, message);
    }
}
