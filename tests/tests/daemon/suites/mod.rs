//! Public suites that judge name servers from outside, each asserted word by word: `zonemaster-cli`, `nmap`'s DNS scripts, dnspython.

mod dnspython;
mod internet;
mod nmap;
mod zonemaster;
