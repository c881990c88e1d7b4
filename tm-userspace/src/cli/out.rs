//! What is printed: data to standard output, messages to standard error. Who stops reading ends the program, quietly, as a pipe does.

use std::{
    env, fmt,
    io::{self, IsTerminal, Write as _},
    process,
    sync::atomic::{AtomicBool, Ordering},
};

use comfy_table::{Cell, Color, ContentArrangement, Table, presets::NOTHING};

/// What a shell says of a program that a closed pipe has ended: 128 and the number of SIGPIPE.
const CLOSED_PIPE: i32 = 141;

/// A line of data.
macro_rules! say {
    () => { $crate::cli::out::data(format_args!("\n")) };
    ($($argument:tt)*) => { $crate::cli::out::data(format_args!("{}\n", format_args!($($argument)*))) };
}

/// A message.
macro_rules! tell {
    ($($argument:tt)*) => { $crate::cli::out::message(format_args!("{}\n", format_args!($($argument)*))) };
}

pub(super) use {say, tell};

/// Are colours unwanted?
static PLAIN: AtomicBool = AtomicBool::new(false);

/// Has no colours from here on, if that is so.
pub(super) fn without_colour(plain: bool) {
    PLAIN.store(plain, Ordering::Relaxed);
}

/// May data have colours?
pub(super) fn colour() -> bool {
    may_be_coloured(&io::stdout())
}

/// May messages?
pub(super) fn message_colour() -> bool {
    may_be_coloured(&io::stderr())
}

/// As <https://no-color.org> has it.
fn may_be_coloured(to: &impl IsTerminal) -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    !PLAIN.load(Ordering::Relaxed) && !is_set("NO_COLOR") && !is_dumb && to.is_terminal()
}

/// A table that fits the terminal, where there is one; elsewhere it is as wide as it gets.
pub(super) fn table() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if table.is_tty() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

/// A monitor status, in its colour.
pub(super) fn state(status: &str) -> Cell {
    let cell = Cell::new(status);
    match (colour(), status) {
        (false, _) => cell,
        (true, "Online") => cell.fg(Color::Green),
        (true, "Degraded") => cell.fg(Color::Red),
        (true, "CheckingEndpoint") => cell.fg(Color::Yellow),
        (true, _) => cell.fg(Color::DarkGrey),
    }
}

/// So many of a thing, in words: `1 profile`, `2 profiles`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Prints data as it is.
pub(super) fn data(text: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(text.to_string().as_bytes()).and_then(|()| out.flush()) {
        end(&error);
    }
}

/// Prints a message as it is; one that nobody can read is nobody's loss.
pub(super) fn message(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_all(text.to_string().as_bytes());
}

/// Data that was asked for and cannot be had is a failure, unless nobody wants it any more.
fn end(error: &io::Error) -> ! {
    if error.kind() == io::ErrorKind::BrokenPipe {
        process::exit(CLOSED_PIPE);
    }
    message(format_args!("tm: cannot write to standard output: {error}\n"));
    process::exit(super::FAILED.into())
}
