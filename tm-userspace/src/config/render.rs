//! The report for people: each problem with its lines, the offending text underlined and the way out below.

use std::ops::Range;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};

use super::report::{ConfigError, Finding, Place};

/// Problems shown in full; the rest are counted.
const SHOWN_AT_MOST: usize = 50;
/// Columns to wrap messages and help at.
const WIDTH: usize = 110;

impl ConfigError {
    /// The report for a terminal, with its colours or without.
    pub fn render(&self, color: bool) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH);
        let handler = if color { handler } else { handler.without_syntax_highlighting() };
        let mut report = String::new();
        for finding in self.findings.iter().take(SHOWN_AT_MOST) {
            if handler.render_report(&mut report, &Picture::of(finding)).is_err() {
                report.push_str(&finding.message);
            }
            report.push('\n');
        }
        if let Some(hidden) = self.findings.len().checked_sub(SHOWN_AT_MOST).filter(|&hidden| hidden > 0) {
            report.push_str(&format!("and {hidden} more\n"));
        }
        report
    }
}

/// A finding in miette's terms.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
struct Picture {
    message: String,
    #[help]
    help: Option<String>,
    #[source_code]
    source_code: NamedSource<String>,
    #[label(collection)]
    labels: Vec<LabeledSpan>,
    /// The other place, where it lies in another file.
    #[related]
    related: Vec<Picture>,
    severity: miette::Severity,
}

impl Picture {
    fn of(finding: &Finding) -> Self {
        let Finding { place, message, help, other } = finding;
        let mut labels: Vec<_> = label(place, None).into_iter().collect();
        let mut related = Vec::new();
        if let Some((other, text)) = other {
            if other.source.order == place.source.order {
                labels.extend(label(other, Some(text)));
            } else {
                related.push(Picture {
                    message: text.clone(),
                    help: None,
                    source_code: source_code(other),
                    labels: label(other, None).into_iter().collect(),
                    related: Vec::new(),
                    severity: miette::Severity::Advice,
                });
            }
        }
        let message = match place.span {
            Some(_) => message.clone(),
            // Without a span miette shows no file.
            None => format!("{}: {message}", place.source.path.display()),
        };
        Picture {
            message,
            help: Some(help.clone()),
            source_code: source_code(place),
            labels,
            related,
            severity: miette::Severity::Error,
        }
    }
}

fn label(place: &Place, text: Option<&String>) -> Option<LabeledSpan> {
    let Range { start, end } = place.span.clone()?;
    let text = text.map_or_else(|| "here".to_owned(), String::clone);
    Some(match end > start {
        true => LabeledSpan::new(Some(text), start, end - start),
        false => LabeledSpan::new(Some(text), start, 0),
    })
}

/// The file's text with what a terminal might obey replaced, octet for octet.
fn source_code(place: &Place) -> NamedSource<String> {
    let mut text = String::with_capacity(place.source.text.len());
    for char in place.source.text.chars() {
        match char {
            '\n' | '\r' | '\t' => text.push(char),
            _ if char.is_control() => text.extend(std::iter::repeat_n('?', char.len_utf8())),
            _ => text.push(char),
        }
    }
    NamedSource::new(place.source.path.display().to_string(), text)
}
