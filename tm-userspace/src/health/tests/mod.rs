//! Tests of health as a whole: the schedule by script, the probes against real sockets.

mod http;
mod learnt;
mod names;
mod schedule;
mod servers;
mod tls;
