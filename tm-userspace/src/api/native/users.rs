//! Users: made, listed, given another password, and taken away.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};

use super::{Problem, ask::read, given::Named};
use crate::{
    api::{View, access::Principal},
    catalog::{self, NewUser},
    config::{FieldFault, name_fault},
    secret,
    store::Level,
    time::rfc3339,
};

/// Characters of a password: fewer are too soon guessed, more are none that anybody types.
const PASSWORD_AT_LEAST: usize = 10;
const PASSWORD_AT_MOST: usize = 1_000;

/// A user that is to be.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// The name to sign in with.
    pub name: String,
    /// The password, of 10 to 1,000 characters.
    pub password: String,
    /// What they may do.
    pub scope: Level,
    /// Only within this subscription.
    #[serde(default)]
    pub subscription: Option<String>,
    /// Only within this resource group; wants a subscription.
    #[serde(default)]
    pub resource_group: Option<String>,
}

/// Another password.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// It, of 10 to 1,000 characters.
    pub password: String,
}

/// A user, without the password.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UserResource {
    /// The name to sign in with.
    pub name: String,
    /// What they may do.
    pub scope: Level,
    /// Only within this subscription.
    pub subscription: Option<String>,
    /// Only within this resource group.
    pub resource_group: Option<String>,
    /// When they came into being.
    pub created: String,
}

/// All users.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UserPage {
    /// In the order of their names.
    pub value: Vec<UserResource>,
}

#[utoipa::path(get, path = "/api/v1/users", tag = "access", operation_id = "list_users", responses((status = 200, body = UserPage)))]
pub(super) async fn list(principal: Principal, State(view): State<View>) -> Result<Json<UserPage>, Problem> {
    principal.may(Level::Admin, None)?;
    Ok(Json(UserPage { value: view.catalog.users().iter().map(resource).collect() }))
}

#[utoipa::path(post, path = "/api/v1/users", tag = "access", operation_id = "create_user", request_body = CreateUser, responses((status = 201, body = UserResource)))]
pub(super) async fn create(
    principal: Principal,
    State(view): State<View>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<UserResource>), Problem> {
    principal.may(Level::Admin, None)?;
    let wanted: CreateUser = read(&headers, body).await?;
    if let Some(fault) = name_fault("/name", &wanted.name) {
        return Err(invalid(fault));
    }
    if wanted.resource_group.is_some() && wanted.subscription.is_none() {
        return Err(Problem::bad("a resource group lies in a subscription: name that too"));
    }
    let user = NewUser {
        name: wanted.name,
        hash: hashed(&view, wanted.password).await?,
        level: wanted.scope,
        subscription: wanted.subscription,
        resource_group: wanted.resource_group,
    };
    let user = view.catalog.create_user(principal.actor(), user).await?;
    Ok((StatusCode::CREATED, Json(resource(&user))))
}

/// Ends the sessions that were begun with the old one.
#[utoipa::path(put, path = "/api/v1/users/{name}/password", tag = "access", operation_id = "change_password", params(("name" = String, Path)), request_body = ChangePassword, responses((status = 204, description = "It is another")))]
pub(super) async fn change_password(
    principal: Principal,
    State(view): State<View>,
    Named(name): Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    principal.may(Level::Admin, None)?;
    let ChangePassword { password } = read(&headers, body).await?;
    let hash = hashed(&view, password).await?;
    view.catalog.change_password(principal.actor(), &name, hash).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends their sessions, too.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "access", operation_id = "delete_user", params(("name" = String, Path)), responses((status = 204, description = "There is none of that name")))]
pub(super) async fn delete(
    principal: Principal,
    State(view): State<View>,
    Named(name): Named<String>,
) -> Result<StatusCode, Problem> {
    principal.may(Level::Admin, None)?;
    view.catalog.delete_user(principal.actor(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn hashed(view: &View, password: String) -> Result<String, Problem> {
    let length = password.chars().count();
    if !(PASSWORD_AT_LEAST..=PASSWORD_AT_MOST).contains(&length) {
        let message = format!("the password has {length} characters");
        let help = format!("write {PASSWORD_AT_LEAST} to {PASSWORD_AT_MOST} characters");
        return Err(invalid(FieldFault::new("/password", &message, &help)));
    }
    // Nobody closes it.
    let _turn = view.sessions.passwords.acquire().await;
    let hash = tokio::task::spawn_blocking(move || secret::hash_password(&password)).await;
    let hash = hash.map_err(anyhow::Error::from).and_then(|hash| hash);
    hash.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format_args!("{error:#}")))
}

fn invalid(fault: FieldFault) -> Problem {
    Problem { errors: vec![fault.clone()], ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &fault.message) }
}

fn resource(user: &catalog::User) -> UserResource {
    UserResource {
        name: user.kept.name.clone(),
        scope: user.kept.scope,
        subscription: user.kept.subscription.as_ref().map(ToString::to_string),
        resource_group: user.kept.resource_group.as_ref().map(ToString::to_string),
        created: rfc3339(user.created),
    }
}
