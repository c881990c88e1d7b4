//! Frame Streams to a collector, both ways ([its description](https://farsightsec.github.io/fstrm/)): frames are octets behind their length, and a
//! length of zero announces a control frame.
//!
//! | we | the collector | |
//! | --- | --- | --- |
//! | READY | ACCEPT | that frames of this content type are to come |
//! | START | | data frames follow |
//! | STOP | FINISH | no more do |

use std::{
    io::{self, ErrorKind},
    path::Path,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufWriter},
    net::UnixStream,
    time::timeout,
};

const ACCEPT: u32 = 1;
const START: u32 = 2;
const STOP: u32 = 3;
const READY: u32 = 4;
const FINISH: u32 = 5;
/// A field of a control frame.
const CONTENT_TYPE: u32 = 1;
/// What the frames are.
const DNSTAP: &[u8] = b"protobuf:dnstap.Dnstap";
/// Octets of the longest control frame, as other implementations have it.
const LONGEST: u32 = 512;
/// How long the collector may take for an answer, or to take frames.
const PATIENCE: Duration = Duration::from_secs(5);

/// A stream that the collector has agreed to.
pub(super) struct Stream(BufWriter<UnixStream>);

impl Stream {
    /// Connects, and agrees.
    pub(super) async fn open(socket: &Path) -> io::Result<Self> {
        timeout(PATIENCE, Self::agree(socket)).await?
    }

    async fn agree(socket: &Path) -> io::Result<Self> {
        let mut stream = Stream(BufWriter::new(UnixStream::connect(socket).await?));
        stream.write_control(READY, Some(DNSTAP)).await?;
        let accepted = stream.read_control(ACCEPT).await?;
        if !accepts(&accepted)? {
            return Err(io::Error::other("it does not accept dnstap"));
        }
        stream.write_control(START, Some(DNSTAP)).await?;
        Ok(stream)
    }

    /// Sends frames. After an error, or where this was not waited for, some of them may be there in part.
    pub(super) async fn write(&mut self, frames: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
        let written = async {
            for frame in frames {
                self.0.write_u32(u32::try_from(frame.len()).map_err(io::Error::other)?).await?;
                self.0.write_all(&frame).await?;
            }
            self.0.flush().await
        };
        timeout(PATIENCE, written).await?
    }

    /// Ends in order: what was written was taken.
    pub(super) async fn close(mut self) -> io::Result<()> {
        let closed = async {
            self.write_control(STOP, None).await?;
            self.read_control(FINISH).await.map(drop)
        };
        timeout(PATIENCE, closed).await?
    }

    /// Comes when the collector has ended the stream: it has nothing to say until it is told that no more frames come.
    pub(super) async fn ended(&self) -> io::Error {
        let stream = self.0.get_ref();
        loop {
            let read = match stream.readable().await {
                Ok(()) => stream.try_read(&mut [0; 64]),
                Err(error) => return error,
            };
            match read {
                Ok(0) => return io::Error::new(ErrorKind::UnexpectedEof, "it closed the stream"),
                Ok(_) => return io::Error::other("it speaks out of turn"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return error,
            }
        }
    }

    async fn write_control(&mut self, kind: u32, content_type: Option<&[u8]>) -> io::Result<()> {
        let mut frame = kind.to_be_bytes().to_vec();
        if let Some(content_type) = content_type {
            frame.extend(CONTENT_TYPE.to_be_bytes());
            frame.extend((content_type.len() as u32).to_be_bytes());
            frame.extend(content_type);
        }
        self.0.write_u32(0).await?;
        self.0.write_u32(frame.len() as u32).await?;
        self.0.write_all(&frame).await?;
        self.0.flush().await
    }

    /// The fields of the control frame that comes now, which is one of this kind.
    async fn read_control(&mut self, wanted: u32) -> io::Result<Vec<u8>> {
        let stream = self.0.get_mut();
        let (escape, length) = (stream.read_u32().await?, stream.read_u32().await?);
        if escape != 0 || !(4..=LONGEST).contains(&length) {
            return Err(io::Error::other("it sends no control frame"));
        }
        let kind = stream.read_u32().await?;
        let mut fields = vec![0; length as usize - 4];
        stream.read_exact(&mut fields).await?;
        match kind == wanted {
            true => Ok(fields),
            false => Err(io::Error::other(format!("it sends control frame {kind}, not {wanted}"))),
        }
    }
}

/// Do the fields of an ACCEPT name our content type? Where they name none, every one is accepted.
fn accepts(mut fields: &[u8]) -> io::Result<bool> {
    let mut names_any = false;
    while !fields.is_empty() {
        let (kind, rest) = fields.split_first_chunk::<4>().ok_or(ErrorKind::InvalidData)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(ErrorKind::InvalidData)?;
        let (value, rest) =
            rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(ErrorKind::InvalidData)?;
        if u32::from_be_bytes(*kind) == CONTENT_TYPE {
            if value == DNSTAP {
                return Ok(true);
            }
            names_any = true;
        }
        fields = rest;
    }
    Ok(!names_any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: u32, value: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &(value.len() as u32).to_be_bytes(), value].concat()
    }

    #[test]
    fn a_collector_accepts_what_it_names_or_everything() {
        let (other, ours) = (field(1, b"other"), field(1, b"protobuf:dnstap.Dnstap"));
        assert!(accepts(&[]).unwrap());
        assert!(accepts(&ours).unwrap());
        assert!(accepts(&[other.clone(), ours.clone()].concat()).unwrap());
        assert!(!accepts(&other).unwrap());
        assert!(!accepts(&field(1, b"protobuf:dnstap.Dnstap2")).unwrap());
        assert!(accepts(&field(7, b"protobuf:dnstap.Dnstap")).unwrap(), "a field that is none of ours");
        for length in 1..ours.len() {
            assert!(accepts(&ours[..length]).is_err(), "{length}");
        }
    }
}
