//! Replies by table, by property and over real sockets.

mod cases;
mod chaos;
mod converse;
mod https;
mod kit;
mod limits;
mod options;
mod properties;
mod refusals;
mod replies;
mod signed;
mod sockets;
mod transferred;
