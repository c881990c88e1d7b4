//! The tables of `decide`, row by row.

mod kit;
mod methods;
mod nesting;
mod statuses;
