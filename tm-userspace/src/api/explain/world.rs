//! The state that is explained: the live one, or a copy in which endpoints are assumed to be up, down or disabled.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::SystemTime,
};

use anyhow::{Context as _, anyhow};

use super::{At, Refused, report::Assumed};
use crate::{
    compile::{Compiled, Tree},
    desired::{Desired, Profile, Profiles, Status, Target},
    geo::{Atlas, Overrides},
    health::{Health, Verdict},
    names::DnsName,
    places::{View, Views},
};

/// All that a decision rests on but the time.
pub(super) struct World {
    pub(super) profiles: Profiles,
    /// All names.
    pub(super) tree: Tree,
    pub(super) stead: Stead,
    pub(super) health: Health,
    pub(super) atlas: Option<Arc<Atlas>>,
    pub(super) overrides: Arc<Overrides>,
    view: Arc<View>,
}

/// What is assumed of an endpoint.
pub(super) struct Assumption {
    at: At,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    Down,
    Disabled,
}

impl World {
    /// As it is.
    pub(super) fn live(desired: &Desired, tree: Tree, stead: Stead, view: Arc<View>, health: Health) -> Self {
        // As `control` has it: what was measured goes before the guess.
        let overrides = match health.round_trips.is_empty() {
            true => desired.overrides.clone(),
            false => Arc::new(desired.overrides.with(&health.round_trips)),
        };
        World {
            profiles: desired.profiles.clone(),
            tree,
            stead,
            health,
            atlas: desired.atlas.clone(),
            overrides,
            view,
        }
    }

    /// Who answers.
    pub(super) fn profile(&self) -> &Arc<Profile> {
        &self.stead.profile
    }

    /// Which clients are at which place.
    pub(super) fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// The same with these assumptions, as if they had become true at `moment`; of a profile with this name.
    pub(super) fn assuming(
        &self,
        desired: &Desired,
        name: &DnsName,
        assumptions: &[Assumption],
        moment: SystemTime,
    ) -> World {
        let (mut profiles, mut health) = (self.profiles.clone(), self.health.clone());
        let mut names = self.tree.clone();
        let mut touched = vec![];
        for Assumption { at: (profile, index), state } in assumptions {
            let key = profile.key(&profile.endpoints[*index]);
            let known = health.verdicts.get(&key).copied();
            match state {
                State::Disabled => {
                    let Some(known) = profiles.get_mut(&profile.name) else { continue };
                    touched.extend(names.change(Some(known), None));
                    if let Some(endpoint) = Arc::make_mut(known).endpoints.get_mut(*index) {
                        Arc::make_mut(endpoint).status = Status::Disabled;
                    }
                    touched.extend(names.change(None, Some(known)));
                }
                State::Up | State::Down => {
                    let up = *state == State::Up;
                    if known.is_none_or(|known| known.up != up) {
                        let recovered = up && known.is_some();
                        health.verdicts.insert(key, Verdict { up, since: moment, recovered });
                    }
                }
            }
        }
        lead_anew(&mut profiles, &names, &touched);
        let stead = Stead::of(&profiles, &names, name, self.profile());
        let profile = &stead.profile;
        let view = match assumptions.iter().any(|assumption| assumption.state == State::Disabled) {
            true => {
                let tree = tree(&profiles, profile);
                let profiles = profiles.iter().filter(|(name, _)| tree.contains(*name));
                let profiles = profiles.map(|(name, profile)| (name.clone(), profile.clone())).collect();
                let overrides = self.overrides.clone();
                Views::of(&Desired { profiles, overrides, ..desired.clone() }, &Views::default())
                    .get(&profile.name)
            }
            false => self.view.clone(),
        };
        let (atlas, overrides) = (self.atlas.clone(), self.overrides.clone());
        World { profiles, tree: names, stead, health, atlas, overrides, view }
    }
}

impl Assumption {
    /// In words.
    pub(super) fn report(&self, now: &World) -> Assumed {
        let (profile, index) = &self.at;
        let endpoint = &profile.endpoints[*index];
        let key = profile.key(endpoint);
        let up = now.health.verdicts.get(&key).map(|verdict| verdict.up);
        let note = match self.state {
            _ if endpoint.status == Status::Disabled => Some("it is disabled in the configuration"),
            State::Disabled => None,
            _ if endpoint.always_serve => Some("it is always served, whatever its state"),
            State::Up if up == Some(true) => Some("it is up"),
            State::Down if up == Some(false) => Some("it is down"),
            State::Up | State::Down => None,
        };
        let state = match self.state {
            State::Up => "up",
            State::Down => "down",
            State::Disabled => "disabled",
        };
        Assumed { endpoint: key.to_string(), state: state.to_owned(), note: note.map(str::to_owned) }
    }
}

/// A profile by its name, or by the name it answers.
pub(super) fn find_profile(desired: &Desired, asked: &str) -> anyhow::Result<Arc<Profile>> {
    let lower = asked.to_lowercase();
    let by_name = desired.profiles.values().find(|profile| profile.name.to_lowercase() == lower);
    let by_dns_name = || {
        let name = super::super::query::full_name(asked, desired).ok()?;
        desired.profiles.values().find(|profile| profile.dns_name.to_hickory() == name)
    };
    let known = || desired.profiles.keys().map(|name| &**name);
    by_name
        .or_else(by_dns_name)
        .cloned()
        .ok_or_else(|| anyhow!("there is no profile `{asked}`{}", meant(&lower, known())))
}

/// Who answers a profile's name.
pub(super) struct Stead {
    /// That profile; where it has no name as it is, one that has a wildcard around it.
    pub(super) profile: Arc<Profile>,
    /// Where there is neither, what the zone has there.
    pub(super) there: Option<Compiled>,
}

impl Stead {
    /// That of a name, which is or was this profile's.
    pub(super) fn of(profiles: &Profiles, tree: &Tree, name: &DnsName, named: &Arc<Profile>) -> Self {
        let named = profiles.get(&named.name).unwrap_or(named);
        if named.dns_name == *name && named.exists() {
            return Stead { profile: named.clone(), there: None };
        }
        let there = tree.at(name);
        let wildcard = tree.wildcard_for(name).filter(|_| there.is_none());
        let profile = profiles.values().find(|profile| wildcard.as_ref() == Some(&profile.dns_name));
        Stead { profile: profile.unwrap_or(named).clone(), there }
    }
}

/// What is assumed, read; each endpoint is in the tree of the profile.
pub(super) fn assumptions(
    desired: &Desired,
    profile: &Arc<Profile>,
    texts: &[String],
) -> Result<Vec<Assumption>, Refused> {
    let mut all: Vec<Assumption> = vec![];
    for text in texts {
        let assumption = assumption(desired, profile, text)?;
        let key = |assumption: &Assumption| assumption.at.0.key(&assumption.at.0.endpoints[assumption.at.1]);
        if all.iter().any(|known| key(known) == key(&assumption)) {
            return Err(Refused::Unfit(anyhow!("{} is assumed to be two things", key(&assumption))));
        }
        all.push(assumption);
    }
    Ok(all)
}

fn assumption(desired: &Desired, profile: &Arc<Profile>, text: &str) -> Result<Assumption, Refused> {
    let written =
        || format!("`{text}` is not ENDPOINT=STATE: write `virginia=down`, the state up, down or disabled");
    let (endpoint, state) = text.rsplit_once('=').with_context(written).map_err(Refused::Unfit)?;
    let state = match state {
        "up" => State::Up,
        "down" => State::Down,
        "disabled" => State::Disabled,
        _ => return Err(Refused::Unfit(anyhow!(written()))),
    };
    let at = find_endpoint(desired, profile, endpoint).map_err(Refused::Unknown)?;
    if let (Target::Profile(child), State::Up | State::Down) = (&at.0.endpoints[at.1].target, state) {
        let first = desired.profiles.get(child).and_then(|child| child.endpoints.first());
        let example = first.map_or_else(String::new, |first| {
            format!(", as {child}/{}={}", first.name, if state == State::Up { "up" } else { "down" })
        });
        return Err(Refused::Unfit(anyhow!(
            "{} is nested, and as up as profile {child} is: assume something of its endpoints{example}",
            at.0.key(&at.0.endpoints[at.1])
        )));
    }
    Ok(Assumption { at, state })
}

/// `profile/endpoint`, an endpoint of the profile itself, or the only one in its tree that has the name.
fn find_endpoint(desired: &Desired, profile: &Arc<Profile>, asked: &str) -> anyhow::Result<At> {
    let same = |name: &str, asked: &str| name.to_lowercase() == asked.to_lowercase();
    let tree = tree(&desired.profiles, profile);
    let profiles = || tree.iter().filter_map(|name| desired.profiles.get(name));
    let all = || {
        profiles()
            .flat_map(|p| p.endpoints.iter().enumerate().map(move |(i, e)| (p.clone(), i, e.name.clone())))
    };
    let whole = |p: &Arc<Profile>, e: &str| format!("{}/{e}", p.name);
    if let Some((p, i, _)) = all().find(|(p, _, e)| same(&whole(p, e), asked)) {
        return Ok((p, i));
    }
    if let Some(i) = profile.endpoints.iter().position(|e| same(&e.name, asked)) {
        return Ok((profile.clone(), i));
    }
    let found: Vec<_> = all().filter(|(_, _, e)| same(e, asked)).collect();
    match &found[..] {
        [(p, i, _)] => Ok((p.clone(), *i)),
        [] => {
            let names: Vec<String> = match asked.contains('/') {
                true => all().map(|(p, _, e)| whole(&p, &e)).collect(),
                false => all().map(|(_, _, e)| e.to_string()).collect(),
            };
            let meant = meant(&asked.to_lowercase(), names.iter().map(String::as_str));
            Err(anyhow!("profile `{}` has no endpoint `{asked}`, nor has one below it{meant}", profile.name))
        }
        several => {
            let names: Vec<String> = several.iter().map(|(p, _, e)| whole(p, e)).collect();
            Err(anyhow!("`{asked}` is {}: write one of them", names.join(" and ")))
        }
    }
}

/// Gives endpoints whose targets are around these names the profile that they lead to now, as the configuration will when it has come so.
fn lead_anew(profiles: &mut Profiles, names: &Tree, touched: &[DnsName]) {
    let leading = names.leading_to(touched);
    if leading.is_empty() {
        return;
    }
    let wildcards: HashMap<&DnsName, &Arc<str>> = profiles
        .values()
        .filter(|profile| profile.dns_name.without_asterisk().is_some())
        .map(|profile| (&profile.dns_name, &profile.name))
        .collect();
    let mut led = vec![];
    for profile in leading.iter().filter_map(|leading| profiles.get(leading)) {
        for (index, endpoint) in profile.endpoints.iter().enumerate() {
            let Target::Name(target) = &endpoint.target else { continue };
            if names.is_profiles(target) {
                continue;
            }
            let wildcard = match names.end_at(target) {
                Some(_) => None,
                None => names.wildcard_for(target),
            };
            let to = wildcard.and_then(|wildcard| wildcards.get(&wildcard).map(|name| Arc::clone(name)));
            led.push((profile.name.clone(), index, to));
        }
    }
    let set = |profiles: &mut Profiles, (leading, index, to): &(Arc<str>, usize, Option<Arc<str>>)| {
        if let Some(profile) = profiles.get_mut(leading)
            && let Some(endpoint) = Arc::make_mut(profile).endpoints.get_mut(*index)
        {
            Arc::make_mut(endpoint).follows.clone_from(to);
        }
    };
    led.iter().for_each(|led| set(profiles, led));
    // Nobody is led in a circle.
    let is_back = |(leading, _, to): &&(Arc<str>, usize, Option<Arc<str>>)| {
        to.as_ref().and_then(|to| profiles.get(to)).is_some_and(|to| tree(profiles, to).contains(leading))
    };
    let back: Vec<_> =
        led.iter().filter(is_back).map(|(leading, index, _)| (leading.clone(), *index, None)).collect();
    back.iter().for_each(|led| set(profiles, led));
}

/// A profile and all that answer for it: nested, or followed by their names.
fn tree(profiles: &Profiles, profile: &Arc<Profile>) -> BTreeSet<Arc<str>> {
    let (mut all, mut ahead) = (BTreeSet::new(), vec![profile.name.clone()]);
    while let Some(name) = ahead.pop() {
        let Some(profile) = profiles.get(&name) else { continue };
        all.insert(name);
        for endpoint in &profile.endpoints {
            let nested = match &endpoint.target {
                Target::Profile(child) => Some(child),
                _ => None,
            };
            ahead.extend(
                nested.into_iter().chain(&endpoint.follows).filter(|name| !all.contains(*name)).cloned(),
            );
        }
    }
    all
}

/// `; did you mean X?`, where there is something near.
fn meant<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known
        .map(|name| (strsim::damerau_levenshtein(asked, &name.to_lowercase()), name))
        .min()
        .filter(|(distance, name)| distance * 3 <= name.len());
    near.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}
