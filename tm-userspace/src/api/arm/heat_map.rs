//! `GET {P}/heatMaps/default`: Traffic View, as Azure's clients read it.

use serde_json::{Value, json};

use super::{
    answer::Answer,
    fault::Fault,
    id::{ProfileId, same},
    model,
    request::Request,
    world::{World, id_of},
};
use crate::{
    api::traffic::{Flow, flows},
    geo::Point,
    time::rfc3339,
};

/// All flows, or those in the rectangle that `topLeft` and `botRight` span. A profile that is not looked at has no heat map.
pub(super) fn get(request: &Request, world: &World, id: &ProfileId) -> Result<Answer, Fault> {
    let record = world.get(id)?;
    let within = Rectangle::of(request.query("topleft"), request.query("botright"))?;
    let seen = flows(&request.view, &record.name).ok_or_else(|| {
        let message = format!(
            "The profile '{}' has no heat map: its trafficViewEnrollmentStatus is not Enabled.",
            id.name
        );
        Fault::not_found("NotFound", message)
    })?;
    let id = id_of(record);
    let list: Vec<_> = model::endpoints(&record.document).collect();
    let name = |endpoint: &model::Document| {
        endpoint.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let endpoints = list.iter().enumerate().map(|(number, endpoint)| {
        json!({ "resourceId": id.endpoint(model::kind(endpoint), &name(endpoint)), "endpointId": number })
    });
    let number = |wanted: &str| list.iter().position(|endpoint| same(&name(endpoint), wanted));
    let flow = |flow: &Flow| {
        let experiences = flow.endpoints.iter().filter_map(|(endpoint, (count, latency))| {
            let mut experience = json!({ "endpointId": number(endpoint)?, "queryCount": count });
            if let Some(latency) = latency {
                experience["latency"] = (*latency).into();
            }
            Some(experience)
        });
        let mut shown = json!({ "sourceIp": flow.network.0.to_string() });
        if let Some(Point { latitude, longitude }) = flow.point {
            (shown["latitude"], shown["longitude"]) = (latitude.into(), longitude.into());
        }
        shown["queryExperiences"] = experiences.collect();
        shown
    };
    let is_within = |flow: &&Flow| within.as_ref().is_none_or(|within| within.holds(flow.point));
    Ok(Answer::ok(json!({
        "id": format!("{id}/heatMaps/latencyVolumeByLocation"),
        "name": "default",
        "type": "Microsoft.Network/trafficManagerProfiles/heatMaps",
        "properties": {
            "startTime": rfc3339(seen.since), "endTime": rfc3339(seen.until),
            "endpoints": endpoints.collect::<Vec<_>>(),
            "trafficFlows": seen.flows.iter().filter(is_within).map(flow).collect::<Vec<_>>(),
        },
    })))
}

/// A part of the globe between two corners; it may cross the meridian of 180 degrees.
struct Rectangle {
    top_left: Point,
    bottom_right: Point,
}

impl Rectangle {
    /// None where neither is given.
    fn of(top_left: Option<&str>, bottom_right: Option<&str>) -> Result<Option<Self>, Fault> {
        let (Some(first), Some(second)) = (top_left, bottom_right) else {
            return match (top_left, bottom_right) {
                (None, None) => Ok(None),
                (None, _) => Err(Fault::property("topLeft", "topLeft is required where botRight is given.")),
                _ => Err(Fault::property("botRight", "botRight is required where topLeft is given.")),
            };
        };
        let (top_left, bottom_right) = (corner("topLeft", first)?, corner("botRight", second)?);
        if top_left.latitude < bottom_right.latitude {
            return Err(Fault::property("botRight", "botRight lies north of topLeft."));
        }
        Ok(Some(Rectangle { top_left, bottom_right }))
    }

    /// Nobody knows of a client without a point that it is there.
    fn holds(&self, point: Option<Point>) -> bool {
        let Some(Point { latitude, longitude }) = point else { return false };
        let (west, east) = (self.top_left.longitude, self.bottom_right.longitude);
        let is_between = match west <= east {
            true => (west..=east).contains(&longitude),
            false => longitude >= west || longitude <= east,
        };
        is_between && (self.bottom_right.latitude..=self.top_left.latitude).contains(&latitude)
    }
}

/// `latitude,longitude`.
fn corner(name: &str, text: &str) -> Result<Point, Fault> {
    let number =
        |text: &str, most: f64| text.trim().parse().ok().filter(|degrees: &f64| degrees.abs() <= most);
    let point = text.split_once(',').and_then(|(latitude, longitude)| {
        Some(Point { latitude: number(latitude, 90.0)?, longitude: number(longitude, 180.0)? })
    });
    point.ok_or_else(|| {
        let message = format!(
            "'{text}' is not valid for {name}: give latitude and longitude in degrees, as 47.6,-122.3."
        );
        Fault::property(name, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(top_left: &str, bottom_right: &str, latitude: f64, longitude: f64) -> bool {
        let rectangle = Rectangle::of(Some(top_left), Some(bottom_right)).unwrap().unwrap();
        rectangle.holds(Some(Point { latitude, longitude }))
    }

    #[test]
    fn a_rectangle_holds_what_lies_in_it() {
        let europe = |latitude, longitude| holds("60,-10", "35,30", latitude, longitude);
        assert!(europe(52.5, 13.4) && europe(60.0, 30.0) && europe(35.0, -10.0));
        assert!(!europe(60.1, 13.4) && !europe(34.9, 13.4) && !europe(52.5, 30.1) && !europe(52.5, -10.1));
        let pacific = |longitude| holds("10,170", "-50,-150", -36.8, longitude);
        assert!(pacific(174.8) && pacific(-175.0) && pacific(180.0) && !pacific(0.0) && !pacific(160.0));
        assert!(!Rectangle::of(Some("90,-180"), Some("-90,180")).unwrap().unwrap().holds(None));
    }

    #[test]
    fn corners_are_two_numbers_each() {
        assert!(Rectangle::of(None, None).unwrap().is_none());
        for (top_left, bottom_right, target) in [
            (Some("1,2"), None, "botRight"),
            (None, Some("1,2"), "topLeft"),
            (Some("1"), Some("1,2"), "topLeft"),
            (Some("91,2"), Some("1,2"), "topLeft"),
            (Some("1,2"), Some("1,-181"), "botRight"),
            (Some("1,2"), Some("nan,0"), "botRight"),
            (Some("1,2"), Some("2,3"), "botRight"),
        ] {
            let Err(fault) = Rectangle::of(top_left, bottom_right) else {
                panic!("{top_left:?} {bottom_right:?}")
            };
            assert_eq!((fault.status.as_u16(), fault.target.as_deref()), (400, Some(target)));
        }
    }
}
