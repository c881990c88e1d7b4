//! `tm top`: who is asked for and who is up, drawn anew as it changes; `--once` prints it instead.

use std::{io::IsTerminal as _, time::Duration};

use anyhow::Context as _;
use clap::Args;
use ratatui::{
    DefaultTerminal, Frame,
    crossterm::event::{self, Event as Input, KeyCode, KeyModifiers},
    layout::{Constraint, Layout},
    style::{Color, Style},
    text::{Line, Text},
    widgets::{Row, Table},
};
use reqwest::Method;
use serde::Serialize;

use super::{
    Failure, Output, Reach,
    daemon::Daemon,
    out::{self, say},
    show::share,
};
use crate::{
    api::{
        ProfileView,
        native::{History, RatesView, Summaries},
    },
    time::rfc3339,
};

/// States that changed last.
const EVENTS: usize = 8;

#[derive(Debug, Args)]
pub(super) struct Top {
    /// Show this profile's endpoints instead of all profiles.
    profile: Option<String>,
    /// Print it once; so it is where the output is no terminal.
    #[arg(long)]
    once: bool,
    /// From one look to the next, in seconds; the daemon counts every two.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    #[command(flatten)]
    reach: Reach,
}

/// What is there at one moment.
#[derive(Debug, Serialize)]
struct Look {
    zone: String,
    /// When the rates were taken.
    at: String,
    /// Answers a second, of all that is shown.
    answers_per_second: f32,
    rows: Vec<Entry>,
    /// The latest first.
    flips: Vec<String>,
}

/// A profile, or an endpoint of one.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    /// A profile's routing method, an endpoint's target.
    what: String,
    status: String,
    /// Of a profile: endpoints that are available, of how many; of an endpoint its share of the answers.
    share: String,
    answers_per_second: f32,
}

pub(super) async fn run(top: Top) -> Result<(), Failure> {
    let daemon = Daemon::find(&top.reach.way)?;
    let first = look(&daemon, top.profile.as_deref()).await?;
    if top.reach.output != Output::Text {
        return top.reach.output.print(&first);
    }
    if top.once || !std::io::stdout().is_terminal() {
        print(&first, top.profile.is_some());
        return Ok(());
    }
    let mut terminal = ratatui::try_init().context("cannot draw on this terminal")?;
    let drawn = keep_drawing(&mut terminal, &daemon, &top, first).await;
    ratatui::restore();
    drawn
}

async fn keep_drawing(
    terminal: &mut DefaultTerminal,
    daemon: &Daemon,
    top: &Top,
    mut now: Look,
) -> Result<(), Failure> {
    let mut from = 0;
    loop {
        terminal.draw(|frame| draw(frame, &now, top.profile.is_some(), from)).context("cannot draw")?;
        let patience = Duration::from_secs(top.interval);
        let input = tokio::task::spawn_blocking(move || match event::poll(patience)? {
            true => event::read().map(Some),
            false => Ok(None),
        });
        match input.await.context("the keyboard cannot be read")?.context("the keyboard cannot be read")? {
            None => now = look(daemon, top.profile.as_deref()).await?,
            Some(Input::Key(key)) => match key.code {
                KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
                KeyCode::Down => from = (from + 1).min(now.rows.len().saturating_sub(1)),
                KeyCode::Up => from = from.saturating_sub(1),
                KeyCode::PageDown => from = (from + 20).min(now.rows.len().saturating_sub(1)),
                KeyCode::PageUp => from = from.saturating_sub(20),
                KeyCode::Home => from = 0,
                _ => {}
            },
            Some(_) => {}
        }
    }
}

/// Asks the daemon for all of it.
async fn look(daemon: &Daemon, profile: Option<&str>) -> Result<Look, Failure> {
    let about: Vec<_> = profile.iter().map(|profile| ("profile", *profile)).collect();
    let get = |what: &str| daemon.request(Method::GET, &[what]).query(&about);
    let rates: RatesView = daemon.answer(get("rates")).await?;
    let summaries: Summaries = daemon.answer(get("summaries")).await?;
    let history: History = daemon.answer(get("history").query(&[("limit", 100)])).await?;
    let rate = |series: Option<&Vec<f32>>| series.and_then(|series| series.last()).copied().unwrap_or(0.0);
    let mut rows: Vec<Entry> = match profile {
        None => summaries
            .value
            .into_iter()
            .map(|summary| Entry {
                answers_per_second: rate(rates.profiles.get(&summary.name)),
                name: summary.name,
                what: summary.routing_method.unwrap_or_default(),
                status: summary.monitor_status.unwrap_or_else(|| "not in force".to_owned()),
                share: format!("{}/{}", summary.available, summary.endpoints),
            })
            .collect(),
        Some(profile) => {
            let path = ["profiles", profile, "status"];
            let tree: Vec<ProfileView> = daemon.answer(daemon.request(Method::GET, &path)).await?;
            let endpoints = tree.iter().flat_map(|profile| {
                profile
                    .endpoints
                    .iter()
                    .map(|endpoint| (format!("{}/{}", profile.name, endpoint.name), endpoint))
            });
            endpoints
                .map(|(name, endpoint)| Entry {
                    answers_per_second: rate(rates.endpoints.get(&name)),
                    name,
                    what: endpoint.target.clone(),
                    status: endpoint.monitor_status.clone(),
                    share: share(endpoint.share),
                })
                .collect()
        }
    };
    if profile.is_none() {
        // Who is asked most comes first; of the same, by name, as they are.
        rows.sort_by(|one, other| other.answers_per_second.total_cmp(&one.answers_per_second));
    }
    let flips = history.value.iter().filter(|event| event.kind.ends_with("_status")).take(EVENTS);
    let flips = flips.map(|event| {
        let name = [Some(event.profile.as_str()), event.endpoint.as_deref()];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join("/");
        let [from, to] = [&event.from, &event.to].map(|state| state.as_deref().unwrap_or("-"));
        format!("{}  {name}  {from} -> {to}", rfc3339(event.at))
    });
    let answers_per_second = rows.iter().map(|row| row.answers_per_second).sum();
    let zone = summaries.zones.into_iter().next().unwrap_or_default();
    Ok(Look { zone, at: rates.at, answers_per_second, flips: flips.collect(), rows })
}

impl Look {
    fn title(&self) -> String {
        format!("zone {}  {:.1} answers/s  {}", self.zone, self.answers_per_second, self.at)
    }
}

impl Entry {
    fn cells(&self) -> [String; 5] {
        let rate = format!("{:.1}", self.answers_per_second);
        [self.name.clone(), self.what.clone(), self.status.clone(), self.share.clone(), rate]
    }
}

fn header(of_endpoints: bool) -> [&'static str; 5] {
    match of_endpoints {
        false => ["PROFILE", "METHOD", "STATUS", "UP", "ANSWERS/S"],
        true => ["ENDPOINT", "TARGET", "STATUS", "SHARE", "ANSWERS/S"],
    }
}

fn print(look: &Look, of_endpoints: bool) {
    say!("{}", look.title());
    let mut table = out::table();
    table.set_header(header(of_endpoints));
    for row in &look.rows {
        table.add_row(row.cells());
    }
    say!("{table}");
    look.flips.iter().for_each(|flip| say!("{flip}"));
}

fn draw(frame: &mut Frame<'_>, look: &Look, of_endpoints: bool, from: usize) {
    let bold = Style::new().bold();
    let below = u16::try_from(look.flips.len()).unwrap_or(0) + 1;
    let areas = [Constraint::Length(1), Constraint::Min(2), Constraint::Length(below)];
    let [title, table, flips] = Layout::vertical(areas).areas(frame.area());
    frame.render_widget(Line::styled(look.title(), bold), title);
    let rows = look.rows.iter().skip(from).take(usize::from(table.height)).map(|row| {
        let colour = match row.status.as_str() {
            _ if !out::colour() => Color::Reset,
            "Online" => Color::Green,
            "Degraded" => Color::Red,
            "CheckingEndpoint" => Color::Yellow,
            _ => Color::DarkGray,
        };
        let [name, what, status, share, rate] = row.cells();
        Row::new([
            Text::from(name),
            Text::from(what),
            Text::styled(status, colour),
            Text::from(share),
            Text::from(rate).right_aligned(),
        ])
    });
    let widths = [
        Constraint::Fill(2),
        Constraint::Fill(2),
        Constraint::Length(16),
        Constraint::Length(9),
        Constraint::Length(12),
    ];
    frame.render_widget(Table::new(rows, widths).header(Row::new(header(of_endpoints)).style(bold)), table);
    let mut lines = vec![Line::styled("LAST FLIPS  (q ends)", bold)];
    lines.extend(look.flips.iter().map(|flip| Line::from(flip.as_str())));
    frame.render_widget(Text::from(lines), flips);
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;

    #[test]
    fn it_is_drawn_to_fit() {
        let row = |name: &str, rate| Entry {
            name: name.to_owned(),
            what: "priority".to_owned(),
            status: "Online".to_owned(),
            share: "1/2".to_owned(),
            answers_per_second: rate,
        };
        let look = Look {
            zone: "tm.example".to_owned(),
            at: "2026-11-21T18:00:00Z".to_owned(),
            answers_per_second: 12.5,
            rows: vec![row("shop", 10.0), row("web", 2.5), row("third", 0.0), row("fourth", 0.0)],
            flips: vec!["2026-11-21T17:59:00Z  shop/a  Online -> Degraded".to_owned()],
        };
        let mut terminal = Terminal::new(TestBackend::new(64, 6)).unwrap();
        terminal.draw(|frame| draw(frame, &look, false, 0)).unwrap();
        let screen = terminal.backend().to_string();
        let lines: Vec<&str> = screen.lines().map(|line| line.trim_matches(['"', ' '])).collect();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(lines[0], "zone tm.example  12.5 answers/s  2026-11-21T18:00:00Z");
        assert_eq!(words(lines[1]), "PROFILE METHOD STATUS UP ANSWERS/S");
        assert_eq!(words(lines[2]), "shop priority Online 1/2 10.0");
        assert_eq!(words(lines[3]), "web priority Online 1/2 2.5");
        // There is no more room: the flips have theirs.
        assert_eq!(lines[4], "LAST FLIPS  (q ends)");
        assert_eq!(lines[5], look.flips[0]);
        terminal.draw(|frame| draw(frame, &look, false, 2)).unwrap();
        assert!(terminal.backend().to_string().contains("third"));
    }
}
