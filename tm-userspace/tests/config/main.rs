//! Configurations as files, and what loading them gives.

mod cookies;
mod encrypted;
mod endpoints;
mod example;
mod files;
mod forms;
mod kit;
mod links;
mod monitors;
mod nesting;
mod node;
mod own_monitors;
mod places;
mod profiles;
mod records;
mod report;
mod rules;
mod services;
mod subnets;
mod transfers;
mod webhooks;
mod zones;
