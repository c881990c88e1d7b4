//! What is printed: data to standard output, messages to standard error. Who stops reading ends the program, quietly, as a pipe does.

use std::{
    fmt,
    io::{self, Write as _},
    process,
};

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
