//! Signatures of messages ([RFC 8945]): whether a query's is right, and its reply's.
//!
//! | the query's signature | the reply |
//! | --- | --- |
//! | is not the last record, or is malformed | FORMERR |
//! | by a key that is not known, or with another algorithm | NOTAUTH, BADKEY, unsigned |
//! | is longer than its algorithm's, or shorter than half of that or 10 octets | FORMERR |
//! | is wrong | NOTAUTH, BADSIG, unsigned |
//! | is right as far as it goes, but cut short | NOTAUTH, BADTRUNC, signed |
//! | of another time | NOTAUTH, BADTIME and our time, signed |
//! | is right | signed |
//!
//! The codes and MACs are hickory's; which octets are signed is here, since hickory reads a whole message anew for that, and counts on its being well-formed.
//!
//! [RFC 8945]: https://www.rfc-editor.org/rfc/rfc8945

use std::time::{SystemTime, UNIX_EPOCH};

use hickory_proto::{
    ProtoError,
    dnssec::DnsSecError,
    rr::{
        Name, RData, Record, RecordType, TSigner,
        rdata::tsig::{TSIG, TsigAlgorithm, TsigError, make_tsig_record},
    },
    serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder, NameEncoding},
};

use super::{counts::Outcome, options::additionals};
use crate::{
    desired::{self, Transfer, TsigKey},
    names::DnsName,
};

/// Seconds by which clocks may differ ([RFC 8945, section 10](https://www.rfc-editor.org/rfc/rfc8945#section-10)).
const FUDGE: u16 = 300;
/// The class of signatures.
const ANY: u16 = 255;
/// Octets of the shortest MAC that says anything ([RFC 8945, section 5.2.2.1](https://www.rfc-editor.org/rfc/rfc8945#section-5.2.2.1)).
const LEAST_MAC: usize = 10;
/// Where a header says how many additional records there are.
const ADDITIONALS: std::ops::Range<usize> = 10..12;

/// A message's signature, as it came.
pub(super) struct Signature {
    /// Where its record begins.
    at: usize,
    key: Name,
    tsig: TSIG,
}

/// What a reply, or the messages of one, are signed with.
#[derive(Clone)]
pub(super) struct Session {
    signer: TSigner,
    key: DnsName,
    /// Of the message before.
    mac: Vec<u8>,
    /// Is the next the first reply?
    is_first: bool,
    /// What is wrong with the query's signature.
    error: Option<(TsigError, u64)>,
}

/// Why a signature does not count.
pub(super) enum Wrong {
    /// It is no signature where one can be.
    Malformed,
    /// The reply is not signed, but says why.
    Unsigned(Box<Signature>, TsigError),
    /// The reply is signed, and says why.
    Signed(Session),
}

/// Is one of a message's additional records a signature, be it where it should or not? Most messages are known at a glance to have none.
pub(super) fn is_signed(message: &[u8]) -> bool {
    const KIND: [u8; 2] = [0, 250];

    message.get(ADDITIONALS).is_some_and(|count| count != [0, 0])
        && message[ADDITIONALS.end..].windows(2).any(|two| two == KIND)
        && additionals(message)
            .is_some_and(|records| records.iter().any(|record| record.kind == RecordType::TSIG))
}

/// Checks the signature of a message that [`is_signed`]: the message without it, and what the reply is to be signed with.
pub(super) fn check(
    message: &[u8],
    transfer: &Transfer,
    now: SystemTime,
) -> Result<(Vec<u8>, Session), Wrong> {
    let signature = Signature::read(message).ok_or(Wrong::Malformed)?;
    let name = DnsName::from_hickory(&signature.key);
    let (tsig, now) = (&signature.tsig, seconds(now));
    let known = transfer.key(&name).and_then(|key| signer(key).ok());
    let Some(signer) = known.filter(|signer| is_same(&tsig.algorithm, signer.algorithm())) else {
        return Err(Wrong::Unsigned(Box::new(signature), TsigError::BadKey));
    };
    let plain = signature.without(message);
    let Ok(signed) = octets(&plain, Some(tsig.oid), &[], Some((tsig, &signature.key))) else {
        return Err(Wrong::Malformed);
    };
    let (mac, time, whole) = (tsig.mac.clone(), tsig.time, mac_length(signer.algorithm()));
    if mac.len() > whole || mac.len() < LEAST_MAC.max(whole / 2) {
        return Err(Wrong::Malformed);
    }
    let is_cut = mac.len() < whole;
    let is_right = match is_cut {
        true => signer.sign(&signed).is_ok_and(|made| made.starts_with(&mac)),
        false => signer.verify(&signed, &mac).is_ok(),
    };
    if !is_right {
        return Err(Wrong::Unsigned(Box::new(signature), TsigError::BadSig));
    }
    let is_late = time.abs_diff(now) > u64::from(tsig.fudge);
    let error = is_late.then_some(TsigError::BadTime).or(is_cut.then_some(TsigError::BadTrunc));
    let error = error.map(|error| (error, time));
    let session = Session { signer, key: name, mac, is_first: true, error };
    match session.error {
        Some(_) => Err(Wrong::Signed(session)),
        None => Ok((plain, session)),
    }
}

impl Wrong {
    /// What becomes of the query.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Wrong::Malformed => Outcome::FormErr,
            Wrong::Unsigned(..) | Wrong::Signed(_) => Outcome::NotAuth,
        }
    }

    /// The finished reply with what it says of the signature.
    pub(super) fn seal(self, mut reply: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Wrong::Malformed => Some(reply),
            Wrong::Signed(mut session) => session.sign(reply).ok(),
            Wrong::Unsigned(signature, error) => {
                let Signature { key, tsig, .. } = *signature;
                let said = TSIG::new(tsig.algorithm, tsig.time, FUDGE, vec![], tsig.oid, Some(error), vec![]);
                append(&mut reply, key, said).ok()?;
                Some(reply)
            }
        }
    }
}

impl Session {
    /// Of a message of our own that nothing came before.
    pub(super) fn begin(key: &TsigKey) -> Result<Self, DnsSecError> {
        let signer = signer(key)?;
        Ok(Session { signer, key: key.name.clone(), mac: vec![], is_first: true, error: None })
    }

    /// The key's name.
    pub(super) fn key(&self) -> &DnsName {
        &self.key
    }

    /// Octets that a signature adds to a message.
    pub(super) fn len(&self) -> usize {
        // Owner; type, class, TTL and length; algorithm; time, fudge and MAC; ID, error and other data.
        let mac = mac_length(self.signer.algorithm());
        let other = if self.error.is_some() { 6 } else { 0 };
        // Not as hickory counts it, which is without the root's octet.
        let algorithm = DnsName::from_hickory(&self.signer.algorithm().to_name());
        self.key.wire().len() + 10 + algorithm.wire().len() + 10 + mac + 6 + other
    }

    /// The next message with its signature, which covers those before it too ([RFC 8945, section 5.3.1]).
    ///
    /// [RFC 8945, section 5.3.1]: https://www.rfc-editor.org/rfc/rfc8945#section-5.3.1
    pub(super) fn sign(&mut self, mut message: Vec<u8>) -> Result<Vec<u8>, DnsSecError> {
        let now = seconds(SystemTime::now());
        // RFC 8945, section 5.2.3: who is out of time is told ours, in a signature that it can check by its own.
        let (error, time, other) = match self.error {
            Some((TsigError::BadTime, time)) => {
                (Some(TsigError::BadTime), time, now.to_be_bytes()[2..].to_vec())
            }
            Some((error, _)) => (Some(error), now, vec![]),
            None => (None, now, vec![]),
        };
        let id = u16::from_be_bytes([message[0], message[1]]);
        let name = self.key.to_hickory();
        let tsig = TSIG::new(self.signer.algorithm().clone(), time, FUDGE, vec![], id, error, other);
        let signed = match self.is_first {
            true => octets(&message, None, &self.mac, Some((&tsig, &name)))?,
            false => {
                let mut signed = octets(&message, None, &self.mac, None)?;
                signed.extend(&tsig.time.to_be_bytes()[2..]);
                signed.extend(tsig.fudge.to_be_bytes());
                signed
            }
        };
        self.mac = self.signer.sign(&signed)?;
        self.is_first = false;
        append(&mut message, name, tsig.set_mac(self.mac.clone()))?;
        Ok(message)
    }

    /// Is a reply to the one message that was signed so far signed by the same key, and in time?
    pub(super) fn is_right(&self, reply: &[u8]) -> bool {
        let Some(signature) = Signature::read(reply) else { return false };
        let tsig = &signature.tsig;
        let plain = signature.without(reply);
        let signed = octets(&plain, Some(tsig.oid), &self.mac, Some((tsig, &signature.key)));
        DnsName::from_hickory(&signature.key) == self.key
            && signed.is_ok_and(|signed| self.signer.verify(&signed, &tsig.mac).is_ok())
            && tsig.time.abs_diff(seconds(SystemTime::now())) <= u64::from(tsig.fudge)
    }
}

impl Signature {
    /// The last record of a message that is the only one of its kind.
    fn read(message: &[u8]) -> Option<Self> {
        let records = additionals(message)?;
        let (last, others) = records.split_last()?;
        let is_right = last.class == ANY && last.ttl == 0;
        if !is_right || others.iter().any(|record| record.kind == RecordType::TSIG) {
            return None;
        }
        let at = last.at;
        let record = Record::read(&mut BinDecoder::new(message).clone(u16::try_from(at).ok()?)).ok()?;
        match record.data {
            RData::TSIG(tsig) => Some(Signature { at, key: record.name, tsig }),
            _ => None,
        }
    }

    /// The message as it was before it was signed, but for its ID.
    fn without(&self, message: &[u8]) -> Vec<u8> {
        let mut plain = message[..self.at].to_vec();
        change_count(&mut plain, |count| count.saturating_sub(1));
        plain
    }
}

/// The octets that a signature covers: what came before, the message with the ID that it was signed with, and what the signature says of itself.
fn octets(
    message: &[u8],
    id: Option<u16>,
    before: &[u8],
    variables: Option<(&TSIG, &Name)>,
) -> Result<Vec<u8>, ProtoError> {
    let mut octets = vec![];
    if !before.is_empty() {
        octets.extend((before.len() as u16).to_be_bytes());
        octets.extend(before);
    }
    let start = octets.len();
    octets.extend(message);
    if let Some(id) = id {
        octets[start..start + 2].copy_from_slice(&id.to_be_bytes());
    }
    if let Some((tsig, name)) = variables {
        let mut said = vec![];
        tsig.emit_tsig_for_mac(&mut BinEncoder::new(&mut said), name)?;
        octets.extend(said);
    }
    Ok(octets)
}

fn append(message: &mut Vec<u8>, key: Name, tsig: TSIG) -> Result<(), ProtoError> {
    let mut octets = vec![];
    let mut encoder = BinEncoder::new(&mut octets);
    // There is nothing before it that its names could point to.
    make_tsig_record(key, tsig).emit(&mut encoder.with_name_encoding(NameEncoding::Uncompressed))?;
    message.extend(octets);
    change_count(message, |count| count.saturating_add(1));
    Ok(())
}

fn change_count(message: &mut [u8], change: impl FnOnce(u16) -> u16) {
    let field = &mut message[ADDITIONALS];
    let count = change(u16::from_be_bytes([field[0], field[1]]));
    field.copy_from_slice(&count.to_be_bytes());
}

fn signer(key: &TsigKey) -> Result<TSigner, DnsSecError> {
    let algorithm = match key.algorithm {
        desired::TsigAlgorithm::HmacSha256 => TsigAlgorithm::HmacSha256,
        desired::TsigAlgorithm::HmacSha384 => TsigAlgorithm::HmacSha384,
        desired::TsigAlgorithm::HmacSha512 => TsigAlgorithm::HmacSha512,
    };
    TSigner::new(key.secret.clone(), algorithm, key.name.to_hickory(), FUDGE)
}

/// Octets of a whole MAC by one of our algorithms.
fn mac_length(algorithm: &TsigAlgorithm) -> usize {
    match algorithm {
        TsigAlgorithm::HmacSha256 => 32,
        TsigAlgorithm::HmacSha384 => 48,
        _ => 64,
    }
}

/// Names of algorithms are names: case makes no difference.
fn is_same(one: &TsigAlgorithm, other: &TsigAlgorithm) -> bool {
    one == other || one.to_name().to_lowercase() == other.to_name().to_lowercase()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
