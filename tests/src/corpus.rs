//! The corpus of the fuzz targets, a directory each in `fuzz/corpus`.

use include_dir::{Dir, include_dir};

use crate::property::{ask, options_frame};

static CORPUS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fuzz/corpus");

/// Octets of the frames that every kernel runs a program on: an Ethernet header, up to what an interface takes with two tags.
const SIZES: std::ops::RangeInclusive<usize> = 14..=1522;

/// The inputs of one target, by file name.
pub fn inputs(target: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> + use<> {
    let files = CORPUS.get_dir(target).into_iter().flat_map(Dir::files);
    files.map(|file| (file.path().to_str().unwrap_or("a file"), file.contents()))
}

/// All frames in it that a kernel takes: those of target `frame`, and those that targets `query` and `options` make.
pub fn frames() -> Vec<Vec<u8>> {
    let whole = inputs("frame").map(|(_, octets)| octets.to_vec());
    let made = inputs("query").map(|(_, octets)| ask::frame(octets).build());
    let with_options = inputs("options").filter_map(|(_, octets)| Some(options_frame(octets)?.build()));
    whole.chain(made).chain(with_options).filter(|frame| SIZES.contains(&frame.len())).collect()
}
