//! Is a DNS name free? Asked of the whole service, or of a subscription.

use serde_json::json;

use super::{
    answer::Answer,
    fault::Fault,
    model::{Fields, Surroundings as _},
    request::Request,
    world::World,
};

const TYPE: &str = "Microsoft.Network/trafficManagerProfiles";

/// `POST .../checkTrafficManagerNameAvailability` and the same with `V2`.
pub(super) async fn check(request: &Request, world: &World) -> Result<Answer, Fault> {
    let body = request.body()?;
    let fields = Fields::of(&body)?;
    let (name, kind) = (fields.needed("name")?, fields.needed("type")?);
    if !kind.eq_ignore_ascii_case(TYPE) {
        return Err(Fault::property("type", format!("The type '{kind}' is not '{TYPE}'.")));
    }
    let domain = format!("{name}.{}", world.zone());
    let (reason, message) = match world.holder(name, &request.view).await {
        Ok(None) => (None, None),
        Ok(Some(_)) => (
            Some("AlreadyExists"),
            Some(format!("Domain name {domain} already exists. Please choose a different DNS prefix.")),
        ),
        Err(fault) => (Some("Invalid"), Some(fault.message)),
    };
    Ok(Answer::ok(json!({
        "name": name, "type": TYPE, "nameAvailable": reason.is_none(), "reason": reason, "message": message,
    })))
}
