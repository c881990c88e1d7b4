//! The command line.
//!
//! Data goes to standard output, messages to standard error. `-o json` gives what the daemon said, unabridged.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | failed; of `tm diff`: there are differences |
//! | 2 | wrong usage; of `tm diff`: failed |
//! | 3 | no such name: `tm query` was told NXDOMAIN, or there is no such profile, endpoint or token |
//! | 4 | it cannot be as things are: it has changed since, a file manages it, a name is taken |
//! | 5 | that is not for whoever asks |
//! | 6 | the daemon cannot be reached |
//! | 78 | the configuration is wrong (`EX_CONFIG`) |

mod apply;
mod audit;
mod az;
mod azure;
mod caution;
mod client;
mod daemon;
mod detach;
mod document;
mod endpoint;
mod events;
mod explain;
mod files;
mod geo;
mod log;
mod manual;
mod name;
mod named;
mod out;
mod profile;
mod progress;
mod rtt;
mod show;
mod token;
mod top;
mod user;
mod verify;
mod way;

use std::{net::IpAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};

use out::{say, tell};
use way::Way;

use crate::{
    api::{Question, VERSION},
    config::{self, ConfigError},
    reload::{Source, Trigger},
    serve,
};

const FAILED: u8 = 1;
/// As wrong usage is told by `clap`.
const NOT_COMPARED: u8 = 2;
const NO_SUCH_NAME: u8 = 3;
const CONFLICT: u8 = 4;
const DENIED: u8 = 5;
const UNREACHABLE: u8 = 6;
const WRONG_CONFIG: u8 = 78;

/// Traffic Manager at the edge: DNS answers from XDP, steered by health.
#[derive(Debug, Parser)]
#[command(name = "tm", version = VERSION, after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such name, 4 conflict, 5 denied, 6 daemon not reached, 78 wrong configuration.")]
struct Cli {
    #[command(flatten)]
    way: Way,
    /// No colours, as with NO_COLOR in the environment, or where no terminal is.
    #[arg(long, global = true)]
    no_color: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    Serve(Serve),
    /// Check a configuration exactly as a load does.
    Check(Check),
    /// Show profiles, endpoints, what the probes say, and what was answered.
    Status(Reach),
    /// Ask the loaded program what it would answer.
    Query(Query),
    /// Say why a profile answers as it does, or what it would answer if endpoints were up, down or disabled.
    Explain(explain::Explain),
    /// Look into the database of places, and tell the daemon how far clients are.
    #[command(subcommand)]
    Geo(geo::Geo),
    /// List, show and change profiles.
    #[command(subcommand)]
    Profile(profile::Profile),
    /// List, show and change endpoints; force one up or down, release it, or restore it after a failover.
    #[command(subcommand)]
    Endpoint(endpoint::Endpoint),
    /// Make, list and revoke what the API's callers show.
    #[command(subcommand)]
    Token(token::Token),
    /// Make, list and delete who may sign in at the portal by name and password.
    #[command(subcommand)]
    User(user::User),
    /// Print a link to the portal that is good once.
    SignIn(user::SignIn),
    /// Say whether a name is free.
    #[command(subcommand)]
    Name(name::Name),
    /// Follow a public name to its profile, and say what is missing on the way.
    Verify(verify::Verify),
    /// Show who is asked for, and who is up, as it changes.
    Top(top::Top),
    /// Probe an endpoint at once and say what the probe found.
    Probe(events::Probe),
    /// Show what has happened, and with --follow what happens.
    Events(events::Events),
    /// Show who changed what.
    Audit(audit::Audit),
    /// Make what another tool has written out.
    #[command(subcommand)]
    Import(azure::Import),
    /// Make what the API manages as files in TOML, YAML or JSON say, all of it or nothing.
    Apply(apply::Apply),
    /// Show what applying files would change; it ends with 1 if anything would.
    Diff(apply::Diff),
    /// Write out what the API manages, as a file that can be applied, or as another tool has it.
    Export(apply::Export),
    /// Print what makes a shell complete this program's words.
    Completions(manual::Completions),
    /// Print the manual, or write its pages into a directory.
    Man(manual::Man),
    /// Print a JSON Schema of the files of profiles, for editors.
    Schema,
    /// Copy the store into a new file while the daemon runs.
    Backup(audit::Backup),
    /// Make all that the API manages, its tokens among them, what a backup has, while the daemon runs.
    Restore(audit::Restore),
    /// Take the program of a daemon that is gone off its interfaces.
    Detach(Detach),
    /// Print this program's version, and the daemon's if one can be reached.
    Version(Reach),
}

#[derive(Debug, Args)]
struct Serve {
    /// Directory with `tm.toml` and `conf.d`.
    #[arg(long, value_name = "DIR", env = "TM_CONFIG", default_value = "/etc/tm")]
    config: PathBuf,
    /// Interface to answer on; may be repeated. Wins over the file's.
    #[arg(long = "iface", value_name = "NAME")]
    interfaces: Vec<String>,
    /// Where to listen for the command line [default: tm.sock under `state_dir`].
    #[arg(long, value_name = "PATH", env = "TM_SOCKET")]
    socket: Option<PathBuf>,
    /// Let XDP go on answering after an orderly stop, as it does after a crash; so does `keep = true` under `[listen]`.
    #[arg(long)]
    keep: bool,
    /// How log lines are written.
    #[arg(long, value_enum, env = "TM_LOG_FORMAT", default_value_t = log::Format::Auto)]
    log_format: log::Format,
    /// What is logged: `info`, `debug`, or as `tracing` filters are written.
    #[arg(long, value_name = "FILTER", env = "RUST_LOG", default_value = "info")]
    log_level: String,
}

#[derive(Debug, Args)]
struct Check {
    /// Directory with `tm.toml` and `conf.d`.
    #[arg(value_name = "DIR", default_value = "/etc/tm")]
    config: PathBuf,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Args)]
struct Detach {
    /// Directory of that daemon's configuration.
    #[arg(long, value_name = "DIR", env = "TM_CONFIG", default_value = "/etc/tm")]
    config: PathBuf,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Args)]
struct Query {
    /// A profile's DNS name, or its part before the zone.
    name: String,
    /// Record type: A, AAAA, TXT, TYPE65 ...
    #[arg(long = "type", short = 't', value_name = "TYPE", default_value = "A")]
    kind: String,
    /// Address that asks.
    #[arg(long, value_name = "ADDR")]
    client: Option<IpAddr>,
    #[command(flatten)]
    reach: Reach,
}

/// How to find the daemon, and how to print what it says.
#[derive(Debug, Args)]
struct Reach {
    #[command(flatten)]
    way: Box<Way>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// The same in YAML.
    Yaml,
}

impl Output {
    /// Prints what the daemon said.
    fn print(self, value: &impl serde::Serialize) -> Result<(), Failure> {
        match self {
            Output::Yaml => {
                let text = serde_saphyr::to_string(value).map_err(anyhow::Error::from)?;
                out::data(format_args!("{text}"));
            }
            Output::Text | Output::Json => {
                say!("{}", serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?);
            }
        }
        Ok(())
    }
}

/// What a command ended with, besides success.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The report was printed.
    #[error("the configuration is wrong")]
    Config,
    #[error("there is no such name")]
    NoSuchName,
    /// What was printed says it.
    #[error("no")]
    Silent,
    #[error("{0:#}")]
    NoSuchThing(anyhow::Error),
    #[error("{0:#}")]
    Conflict(anyhow::Error),
    #[error("{0:#}")]
    Denied(anyhow::Error),
    #[error("{0:#}")]
    Unreachable(anyhow::Error),
    /// Of a comparison, where 1 says that there are differences.
    #[error("{0:#}")]
    NotCompared(anyhow::Error),
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

/// Runs the command line; the whole of `main`.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    out::without_colour(cli.no_color);
    let result = match cli.command {
        Command::Serve(serve) => run_daemon(serve),
        Command::Check(check) => run_check(&check),
        Command::Status(reach) => in_runtime(client::status(&reach)),
        Command::Query(Query { name, kind, client, reach }) => {
            in_runtime(client::query(&reach, Question { name, kind, client }))
        }
        Command::Explain(explain) => in_runtime(explain::run(explain)),
        Command::Geo(command) => in_runtime(geo::run(command)),
        Command::Endpoint(endpoint) => in_runtime(endpoint::run(endpoint)),
        Command::Profile(profile) => in_runtime(profile::run(profile)),
        Command::Import(import) => in_runtime(azure::import(import)),
        Command::Apply(apply) => in_runtime(apply::apply(apply)),
        Command::Diff(diff) => in_runtime(apply::diff(diff)),
        Command::Export(export) => in_runtime(apply::export(export)),
        Command::Name(name) => in_runtime(name::run(name)),
        Command::Verify(verify) => in_runtime(verify::run(verify)),
        Command::Top(top) => in_runtime(top::run(top)),
        Command::Completions(completions) => manual::complete(&completions),
        Command::Man(man) => manual::print(&man),
        Command::Schema => Output::Json.print(&config::file_schema()),
        Command::Token(token) => in_runtime(token::run(token)),
        Command::User(user) => in_runtime(user::run(user)),
        Command::SignIn(wanted) => in_runtime(user::sign_in(wanted)),
        Command::Probe(probe) => in_runtime(events::probe(probe)),
        Command::Events(events) => in_runtime(events::show(events)),
        Command::Audit(audit) => in_runtime(audit::list(audit)),
        Command::Backup(backup) => in_runtime(audit::back_up(backup)),
        Command::Restore(restore) => in_runtime(audit::restore(restore)),
        Command::Detach(detach) => detach::run(&detach.config, detach.output),
        Command::Version(reach) => in_runtime(client::version(&reach)),
    };
    let Err(failure) = result else { return ExitCode::SUCCESS };
    // What is wrong with the configuration was drawn; what a name answers is an answer.
    if !matches!(failure, Failure::Config | Failure::NoSuchName | Failure::Silent) {
        tell!("tm: {failure}");
    }
    ExitCode::from(match &failure {
        Failure::Config => WRONG_CONFIG,
        Failure::NoSuchName | Failure::NoSuchThing(_) => NO_SUCH_NAME,
        Failure::Conflict(_) => CONFLICT,
        Failure::Denied(_) => DENIED,
        Failure::Unreachable(_) => UNREACHABLE,
        Failure::NotCompared(_) => NOT_COMPARED,
        Failure::Other(_) | Failure::Silent => FAILED,
    })
}

fn in_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(anyhow::Error::from)?.block_on(work)
}

fn run_daemon(serve: Serve) -> Result<(), Failure> {
    let Serve { config, interfaces, socket, keep, log_format, log_level } = serve;
    log::start(log_format, &log_level)?;
    let source = Source { dir: config, interfaces };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let _inside = runtime.enter();
    let trigger = Trigger::new(&source.dir)?;
    let served = runtime.block_on(serve::run(serve::Options { source, trigger, socket, keep }));
    served.map_err(|error| match error.downcast::<ConfigError>() {
        Ok(error) => report(error),
        Err(error) => error.into(),
    })
}

fn run_check(check: &Check) -> Result<(), Failure> {
    match (config::load(&check.config), check.output) {
        (Ok(loaded), output) => {
            let endpoints: usize = loaded.profiles.values().map(|profile| profile.endpoints.len()).sum();
            match output {
                Output::Text => {
                    loaded.warnings.iter().for_each(|warning| tell!("warning: {warning}"));
                    let profiles = out::count(loaded.profiles.len(), "profile");
                    say!("{}: {profiles}, {}", check.config.display(), out::count(endpoints, "endpoint"));
                    say!("ok");
                }
                Output::Json | Output::Yaml => output.print(&serde_json::json!({
                    "ok": true, "profiles": loaded.profiles.len(), "endpoints": endpoints,
                    "warnings": loaded.warnings, "problems": [],
                }))?,
            }
            Ok(())
        }
        (Err(error), Output::Text) => Err(report(error)),
        (Err(error), output) => {
            output
                .print(&serde_json::json!({ "ok": false, "warnings": [], "problems": error.problems() }))?;
            Err(Failure::Config)
        }
    }
}

/// Draws what is wrong.
fn report(error: ConfigError) -> Failure {
    out::message(format_args!("{}", error.render(out::message_colour())));
    Failure::Config
}
