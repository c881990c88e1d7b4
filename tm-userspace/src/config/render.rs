//! The report for people: each problem with its lines, the offending text underlined and the way out below.

use std::{fmt, sync::Arc};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode,
};

use super::report::{ConfigError, Finding, Place, SHOWN_AT_MOST};

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
        match self.findings.len().saturating_sub(SHOWN_AT_MOST) {
            0 => report,
            hidden => report + &format!("and {hidden} more\n"),
        }
    }
}

/// A finding in miette's terms.
#[derive(Debug)]
struct Picture {
    message: String,
    help: Option<String>,
    severity: Severity,
    source_code: NamedSource<Arc<str>>,
    labels: Vec<LabeledSpan>,
    /// The other place, where it lies in another file.
    related: Option<Box<Picture>>,
}

impl Picture {
    fn of(finding: &Finding) -> Self {
        let Finding { place, message, help, other } = finding;
        let message = match place.span {
            Some(_) => message.clone(),
            // Without a span miette shows no file.
            None => format!("{}: {message}", place.source.path.display()),
        };
        let mut picture = Picture::at(place, message, Severity::Error);
        picture.help = Some(help.clone());
        match other {
            Some((other, text)) if other.source.order == place.source.order => {
                let span =
                    other.span.clone().map(|span| LabeledSpan::new_with_span(Some(text.clone()), span));
                picture.labels.extend(span);
            }
            Some((other, text)) => {
                picture.related = Some(Box::new(Picture::at(other, text.clone(), Severity::Advice)));
            }
            None => {}
        }
        picture
    }

    fn at(place: &Place, message: String, severity: Severity) -> Self {
        let span = place.span.clone().map(|span| LabeledSpan::new_primary_with_span(None, span));
        let labels = span.into_iter().collect();
        let source_code = NamedSource::new(place.source.path.display().to_string(), place.source.shown());
        Picture { message, help: None, severity, source_code, labels, related: None }
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Picture {}

impl Diagnostic for Picture {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let related = self.related.as_deref()? as &dyn Diagnostic;
        Some(Box::new(std::iter::once(related)))
    }
}
