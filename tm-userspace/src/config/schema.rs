//! The form of a profile, for documents that describe the API: read off the very types that a file and a document are read into.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::raw;

/// A profile, as a file or a document has it.
#[derive(Debug)]
pub struct ProfileSchema;

/// An endpoint of a profile.
#[derive(Debug)]
pub struct EndpointSchema;

impl PartialSchema for ProfileSchema {
    fn schema() -> RefOr<Schema> {
        raw::Profile::schema()
    }
}

impl ToSchema for ProfileSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        raw::Profile::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        raw::Profile::schemas(schemas);
    }
}

impl PartialSchema for EndpointSchema {
    fn schema() -> RefOr<Schema> {
        raw::Endpoint::schema()
    }
}

impl ToSchema for EndpointSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        raw::Endpoint::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        raw::Endpoint::schemas(schemas);
    }
}
