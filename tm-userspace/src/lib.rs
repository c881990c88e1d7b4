//! The daemon and its command line.
//!
//! In the order of the flow: `config` reads what is wanted into `desired`, `catalog` lets the API change it and `store` keeps that; `geo` knows where addresses are; `health` probes and counts; `places` says where clients are; `decide` and `compile` are pure; `sync` keeps the tables
//! and `xdp` mirrors them into the kernel, with programs that go by what is `frozen`; `dns` answers what the kernel passes up; `control` drives the stages, `state` is what
//! the next daemon begins with, `api` and `cli` show them, `portal` draws them in a browser, `metrics` counts, `traffic` looks at who asks, and `webhooks` and `dnstap` tell.

pub mod api;
pub mod catalog;
pub mod cli;
pub mod compile;
pub mod config;
pub mod control;
pub mod cookies;
pub mod decide;
pub mod desired;
pub mod dns;
pub mod dnstap;
pub mod frozen;
pub mod geo;
pub mod health;
mod led;
pub mod listen;
pub mod metrics;
pub mod names;
pub mod places;
pub mod portal;
pub mod prefix;
mod print;
pub mod reload;
#[cfg(test)]
mod samples;
pub mod secret;
pub mod serve;
pub mod state;
pub mod store;
pub mod sync;
pub mod time;
pub mod tls;
pub mod traffic;
pub mod webhooks;
pub mod xdp;
