//! `/openapi.json`: this face in OpenAPI 3.1, made from the handlers and the types that they read and write.

use axum::Json;
use utoipa::{
    Modify, OpenApi, ToSchema as _,
    openapi::{
        Content, OpenApi as Document, Ref, ResponseBuilder, SecurityRequirement,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{
    Problem, apply, ask, audit, endpoints, events, metrics_key, overview, profiles, services, session,
    tokens, users,
};
use crate::api::access::COOKIE;

#[derive(OpenApi)]
#[openapi(
    info(title = "Traffic Manager", description = "Profiles and endpoints, and what is known of them.", license(name = "MIT")),
    paths(
        profiles::list, profiles::show, profiles::put, profiles::patch, profiles::delete, profiles::is_free,
        endpoints::list, endpoints::show, endpoints::put, endpoints::patch, endpoints::delete,
        overview::summaries, overview::profile_status, overview::traffic, overview::rates,
        services::list, services::show, services::put, services::delete,
        events::probe, events::follow, events::history,
        apply::export, apply::apply,
        ask::status, ask::node, ask::version, ask::query, ask::explain, ask::order, ask::round_trips, ask::change_round_trips,
        metrics_key::show, metrics_key::make, metrics_key::delete,
        tokens::list, tokens::create, tokens::rotate, tokens::revoke,
        session::show, session::sign_in, session::sign_out, session::link,
        users::list, users::create, users::change_password, users::delete, audit::list, audit::back_up, audit::restore
    ),
    components(schemas(Problem)),
    modifiers(&Everywhere)
)]
struct Described;

pub(super) async fn show() -> Json<Document> {
    Json(Described::openapi())
}

/// What holds for every request: the bearer token or the session, and the form of errors.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut Document) {
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", bearer);
        components.add_security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                COOKIE,
                "With `X-CSRF-Token` where anything is changed: `GET /api/v1/session` has it.",
            ))),
        );
        document.security =
            Some(["token", "session"].map(|name| SecurityRequirement::new(name, [""; 0])).into());
        let problem = |description: &str| {
            let content = Content::new(Some(Ref::from_schema_name(Problem::name())));
            ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", content)
                .build()
        };
        for item in document.paths.paths.values_mut() {
            let operations =
                [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                responses.insert("4XX".to_owned(), problem("What is wrong with the request").into());
                responses.insert("5XX".to_owned(), problem("What the daemon could not do").into());
            }
        }
    }
}
