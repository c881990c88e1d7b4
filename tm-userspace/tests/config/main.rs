//! Configurations as files, and what loading them gives.

mod endpoints;
mod example;
mod files;
mod forms;
mod kit;
mod monitors;
mod nesting;
mod node;
mod own_monitors;
mod profiles;
mod report;
mod rules;
mod services;
