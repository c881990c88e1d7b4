//! What was found wrong, where, and what to write instead.

use std::{error::Error, fmt, ops::Range, path::PathBuf, sync::Arc};

use serde::Serialize;

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
    /// A line for each problem: `file:line:column: message (help)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            let end_of_last = if index > 0 { "\n" } else { "" };
            write!(f, "{end_of_last}{}: {} ({})", finding.place, finding.message, finding.help)?;
        }
        Ok(())
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
    fn line_and_column(&self) -> (usize, usize) {
        let Some(before) = self.span.as_ref().and_then(|span| self.source.text.get(..span.start)) else {
            return (0, 0);
        };
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let column = before.chars().rev().take_while(|&char| char != '\n').count() + 1;
        // A byte order mark is no column.
        (line, column - usize::from(line_start == 0 && before.starts_with('\u{feff}')))
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
