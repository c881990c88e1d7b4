//! The face that Azure's own clients speak to: Azure Resource Manager's paths and bodies over the product's documents.
//!
//! `model` says what a body means and how a profile is shown; it knows neither HTTP nor the store.

pub mod fault;
pub mod hierarchy;
pub mod id;
pub mod model;
pub mod path;
