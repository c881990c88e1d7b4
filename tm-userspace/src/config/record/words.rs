//! The words of a record's data in a zone file ([RFC 1035, section 5.1](https://www.rfc-editor.org/rfc/rfc1035#section-5.1)): what is between spaces, or in quotes, with `\DDD` for an octet and `\X` for a character that means something else.

/// A word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// As it is written.
    pub(super) text: &'a str,
    /// What it says.
    pub(super) octets: Vec<u8>,
    /// Does it begin with quotes?
    pub(super) is_quoted: bool,
}

/// All of them, or what is wrong.
pub(super) fn words(text: &str) -> Result<Vec<Word<'_>>, String> {
    let mut words = vec![];
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (octets, length) = word(rest)?;
        let (text, behind) = rest.split_at(length);
        words.push(Word { text, octets, is_quoted: text.starts_with('"') });
        rest = behind.trim_start();
    }
    Ok(words)
}

/// The first word: what it says, and its length as it is written.
fn word(text: &str) -> Result<(Vec<u8>, usize), String> {
    let mut octets = vec![];
    let mut in_quotes = false;
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' if in_quotes => {
                let end = at + 1;
                return match text[end..].starts_with(|next: char| !next.is_whitespace()) {
                    true => Err("there is no space behind the closing quotes".to_owned()),
                    false => Ok((octets, end)),
                };
            }
            // Also of `key="value"`.
            '"' if at == 0 || text[..at].ends_with('=') => in_quotes = true,
            '"' => return Err("there are quotes within a word: write `\\\"` for them".to_owned()),
            '\\' => octets.extend(escaped(&mut chars)?),
            _ if !in_quotes && char.is_whitespace() => return Ok((octets, at)),
            _ if char.is_control() => return Err(format!("there is {char:?} in it: write `\\DDD` for it")),
            _ if in_quotes => octets.extend(char.encode_utf8(&mut [0; 4]).bytes()),
            ';' | '(' | ')' => {
                return Err(format!("there is a `{char}` outside quotes: put the text in quotes"));
            }
            _ => octets.extend(char.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    match in_quotes {
        true => Err("the quotes are not closed".to_owned()),
        false => Ok((octets, text.len())),
    }
}

/// What stands for what follows a backslash.
fn escaped(chars: &mut std::str::CharIndices<'_>) -> Result<Vec<u8>, String> {
    let fault = || "a backslash is followed by no character, and by no three digits up to 255".to_owned();
    let (_, first) = chars.next().ok_or_else(fault)?;
    if !first.is_ascii_digit() {
        return match first.is_control() {
            true => Err(fault()),
            false => Ok(first.encode_utf8(&mut [0; 4]).as_bytes().to_vec()),
        };
    }
    let mut digits = first.to_string();
    digits.extend(chars.take(2).map(|(_, digit)| digit));
    let octet =
        digits.parse().ok().filter(|_| digits.len() == 3 && digits.bytes().all(|d| d.is_ascii_digit()));
    octet.map(|octet: u8| vec![octet]).ok_or_else(fault)
}

/// A whole number in decimal digits, at most `most`.
pub(super) fn number_of(word: &Word<'_>, what: &str, most: u32) -> Result<u32, String> {
    let is_plain = !word.text.is_empty() && word.text.bytes().all(|digit| digit.is_ascii_digit());
    let number = word.text.parse().ok().filter(|number| is_plain && *number <= most);
    number.ok_or_else(|| format!("{what} is no number from 0 to {most}"))
}
