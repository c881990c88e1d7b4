//! What the kernel passes up: answered on UDP and TCP sockets at the same addresses, by the same engine over the same tables.
//!
//! [`Responder`] turns one message into its reply and does no I/O. It asks the engine first; what the engine refuses it reads with
//! hickory's decoder, and then either asks the engine again, in the plain form that the engine speaks, or answers itself: what the tables leave
//! of a zone's apex, and everything that is refused. So the answers of all other names, and that there are no such names, come from the engine alone.
//!
//! [`run`] keeps the sockets that a [`Plan`] names: UDP and TCP, and where it says so TLS ([7858]) and HTTPS ([8484]). Where no XDP program can be loaded they answer everything.
//!
//! | of the reply | |
//! | --- | --- |
//! | ID, opcode, RD, question | as they came, the question octet by octet; no question where it could not be read |
//! | AA | inside the zone |
//! | class CHAOS | the names of [4892], where the configuration has texts for them |
//! | RA, AD, CD, Z | clear |
//! | OPT | where the query had one: version 0, payload 1,232 or as configured, DO as it came; a cookie where the query had one ([7873], [9018]); the client's subnet where the query had it, with the scope ([7871]); which server it is, where the query asks and the configuration says it ([5001]); of an error, why ([8914]); no other options but those of connections |
//! | of a connection's OPT | how long it may be idle, where the query asks for that ([7828]); padding likewise, over TLS and HTTPS ([7830], [8467]) |
//! | size | over UDP 512, or, where the cookie is right ([7873, section 5.2.3][7873]), what the OPT says up to 1,232, or both as configured; a longer reply becomes TC with empty sections |
//! | number | over UDP, to one prefix without a right cookie, as many a second as configured; of what is over that some are told so by TC alone, and the others nothing |
//!
//! RFCs: [1035], [2181], [2308], [4892], [5001], [6891], [7766], [7828], [7830], [7858], [7871], [7873], [8020], [8467], [8482], [8484], [8906], [8914], [9018], [9210], [9619].
//!
//! [1035]: https://www.rfc-editor.org/rfc/rfc1035
//! [2181]: https://www.rfc-editor.org/rfc/rfc2181
//! [2308]: https://www.rfc-editor.org/rfc/rfc2308
//! [4892]: https://www.rfc-editor.org/rfc/rfc4892
//! [5001]: https://www.rfc-editor.org/rfc/rfc5001
//! [6891]: https://www.rfc-editor.org/rfc/rfc6891
//! [7766]: https://www.rfc-editor.org/rfc/rfc7766
//! [7828]: https://www.rfc-editor.org/rfc/rfc7828
//! [7830]: https://www.rfc-editor.org/rfc/rfc7830
//! [7858]: https://www.rfc-editor.org/rfc/rfc7858
//! [7871]: https://www.rfc-editor.org/rfc/rfc7871
//! [7873]: https://www.rfc-editor.org/rfc/rfc7873
//! [8020]: https://www.rfc-editor.org/rfc/rfc8020
//! [8467]: https://www.rfc-editor.org/rfc/rfc8467
//! [8482]: https://www.rfc-editor.org/rfc/rfc8482
//! [8484]: https://www.rfc-editor.org/rfc/rfc8484
//! [8906]: https://www.rfc-editor.org/rfc/rfc8906
//! [8914]: https://www.rfc-editor.org/rfc/rfc8914
//! [9018]: https://www.rfc-editor.org/rfc/rfc9018
//! [9210]: https://www.rfc-editor.org/rfc/rfc9210
//! [9619]: https://www.rfc-editor.org/rfc/rfc9619

mod ask;
mod chaos;
mod connections;
mod converse;
mod counts;
mod extended;
mod https;
mod listeners;
mod options;
mod plan;
mod query;
mod reply;
mod tcp;
mod transfer;
mod transport;
mod tsig;
mod udp;
mod write;
mod zone;

pub use counts::Messages;
pub use listeners::run;
pub use plan::Plan;
pub use reply::Responder;
pub use transfer::{Content, Contents, Transfers};
pub use transport::Transport;
pub use zone::ZoneView;

#[cfg(test)]
mod tests;
