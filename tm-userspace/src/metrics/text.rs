//! The two forms in which scrapers take metrics: [OpenMetrics], and Prometheus's own of before, which those who say nothing are given.
//!
//! [OpenMetrics]: https://prometheus.io/docs/specs/om/open_metrics_spec/

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What all read.
    Plain,
    /// What is asked for by name.
    OpenMetrics,
}

impl Form {
    /// What `accept` asks for, the header of a request.
    pub fn asked_for(accept: Option<&str>) -> Self {
        match accept.is_some_and(|accept| accept.contains("application/openmetrics-text")) {
            true => Form::OpenMetrics,
            false => Form::Plain,
        }
    }

    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Form::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Form::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Metrics in this form, of those in OpenMetrics.
    pub(super) fn of(self, open: String) -> String {
        match self {
            Form::OpenMetrics => open,
            Form::Plain => plain(&open),
        }
    }
}

/// The two differ in what a counter is called where it is described, and in comments.
fn plain(open: &str) -> String {
    let mut plain = String::with_capacity(open.len());
    let mut help = "";
    for line in open.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.rsplit_once(' '))
        {
            let suffix = if kind == "counter" { "_total" } else { "" };
            plain.push_str(&format!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with('#') {
            plain.push_str(line);
            plain.push('\n');
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_described_by_the_name_of_their_samples() {
        let open = "# HELP q Queries that came.\n# TYPE q counter\nq_total{a=\"# b\"} 1\n\
                    # HELP t_seconds Time.\n# TYPE t_seconds gauge\n# UNIT t_seconds seconds\nt_seconds 2.5\n# EOF\n";
        let expected = "# HELP q_total Queries that came.\n# TYPE q_total counter\nq_total{a=\"# b\"} 1\n\
                        # HELP t_seconds Time.\n# TYPE t_seconds gauge\nt_seconds 2.5\n";
        assert_eq!(Form::Plain.of(open.to_owned()), expected);
        assert_eq!(Form::OpenMetrics.of(open.to_owned()), open);
    }

    #[test]
    fn who_names_the_newer_form_is_given_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
        assert_eq!(Form::asked_for(Some(prometheus)), Form::OpenMetrics);
        assert_eq!(Form::asked_for(Some("*/*")), Form::Plain);
        assert_eq!(Form::asked_for(None), Form::Plain);
    }
}
