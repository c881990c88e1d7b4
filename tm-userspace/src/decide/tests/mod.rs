//! The tables of `decide`, row by row.

mod clients;
mod explain;
mod kit;
mod methods;
mod nested_rules;
mod nesting;
mod rules;
mod statuses;
