//! Numbers, words and durations: the checks that many keys share.
//!
//! Each takes down what is wrong and then goes on with the default, so that one load finds as much as it can; with anything taken
//! down the outcome is never used.

use std::{
    fmt::Display,
    net::IpAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use toml::Spanned;

use super::{
    FieldFault, address,
    raw::{DurationText, Integer, Text},
    report::{Fault, Notes},
};

/// A number in `range`, or `default` where the key is left out.
pub(super) fn number<T>(
    notes: &mut Notes<'_>,
    key: &str,
    written: Option<&Spanned<Integer>>,
    range: RangeInclusive<T>,
    default: T,
) -> T
where
    T: TryFrom<i64> + PartialOrd + Display,
{
    let Some(written) = written else { return default };
    match T::try_from(written.get_ref().0).ok().filter(|number| range.contains(number)) {
        Some(number) => number,
        None => {
            let message = format!("{key} {} is out of range", notes.text(written.span()));
            let help = format!("write a number from {} to {}", range.start(), range.end());
            notes.error(written.span(), message, help);
            default
        }
    }
}

/// One of `words` without regard to case, or `default` where the key is left out. `more` are other spellings, not offered in the help.
pub(super) fn word<T: Copy>(
    notes: &mut Notes<'_>,
    key: &str,
    written: Option<&Text>,
    words: &[(&str, T)],
    more: &[(&str, T)],
    default: T,
) -> T {
    let Some(written) = written else { return default };
    let text = written.get_ref();
    match words.iter().chain(more).find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        Some(&(_, value)) => value,
        None => {
            let known: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let message = format!("{key} {} is not known to this version", quote(text));
            notes.error(written.span(), message, format!("write {}", known.join(" or ")));
            default
        }
    }
}

/// A path from `/`, since daemon and command line read it from different directories.
pub(super) fn absolute(notes: &mut Notes<'_>, key: &str, written: Option<&Text>, default: &str) -> PathBuf {
    let Some(written) = written else { return default.into() };
    if !Path::new(written.get_ref()).is_absolute() {
        let message = format!("{key} {} is not an absolute path", quote(written.get_ref()));
        notes.error(written.span(), message, format!("write the path from `/`, as \"{default}\""));
    }
    written.get_ref().into()
}

/// A duration as humantime reads it.
pub(super) fn duration(
    notes: &mut Notes<'_>,
    key: &str,
    written: &Spanned<DurationText>,
) -> Option<Duration> {
    let text = &written.get_ref().0;
    match humantime::parse_duration(text) {
        Ok(duration) => Some(duration),
        Err(_) => {
            let help = "write a number and a unit, as \"10s\", \"200ms\" or \"1m 30s\"";
            notes.error(written.span(), format!("{key} {} is not a duration", quote(text)), help);
            None
        }
    }
}

/// A duration in `range`, or `default` where the key is left out.
pub(super) fn duration_in(
    notes: &mut Notes<'_>,
    key: &str,
    written: Option<&Spanned<DurationText>>,
    range: RangeInclusive<Duration>,
    default: Duration,
) -> Duration {
    let Some(written) = written else { return default };
    let Some(known) = duration(notes, key, written) else { return default };
    if !range.contains(&known) {
        let message = format!("{key} {} is out of range", quote(&written.get_ref().0));
        let [least, most] = [range.start(), range.end()].map(|bound| humantime::format_duration(*bound));
        notes.error(written.span(), message, format!("write \"{least}\" to \"{most}\""));
        return default;
    }
    known
}

/// What is wrong with a name that stands at `pointer` of a document, if anything is.
pub fn name_fault(pointer: &str, name: &str) -> Option<FieldFault> {
    operator_name(name).err().map(|fault| FieldFault::new(pointer, &fault.message, &fault.help))
}

/// Prefixes, those of them that are right.
pub(super) fn prefixes(written: &[Text], notes: &mut Notes<'_>) -> Vec<(IpAddr, u8)> {
    let mut prefixes = vec![];
    for text in written {
        match address::prefix(text.get_ref()) {
            Ok(prefix) => prefixes.push(prefix),
            Err(fault) => notes.fault(text.span(), fault),
        }
    }
    prefixes
}

/// What the operator calls a profile or an endpoint.
pub(super) fn operator_name(text: &str) -> Result<(), Fault> {
    use super::defaults::NAME_AT_MOST;

    let fault = |what: String| {
        Err(Fault::new(what, format!("write 1 to {NAME_AT_MOST} characters, none of them `/` or a control")))
    };
    let length = text.chars().count();
    match text {
        "" => fault("the name is empty".to_owned()),
        _ if length > NAME_AT_MOST => fault(format!("the name has {length} characters, over {NAME_AT_MOST}")),
        _ if text.trim() != text => fault(format!("the name {} begins or ends with a space", quote(text))),
        _ => match text.chars().find(|char| *char == '/' || char.is_control()) {
            Some(char) => fault(format!("the name {} has {char:?} in it", quote(text))),
            None => Ok(()),
        },
    }
}

/// `text` in backticks, fit for a line of a terminal.
pub(super) fn quote(text: &str) -> String {
    const SHOWN_AT_MOST: usize = 80;

    let mut shown: String = text.chars().take(SHOWN_AT_MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    if shown.contains(char::is_control) {
        shown = shown.chars().flat_map(char::escape_debug).collect();
    }
    format!("`{shown}`")
}
