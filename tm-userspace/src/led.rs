//! Who leads where: the names that are targets of endpoints, each with the profiles of those, found by what they are below.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use crate::names::DnsName;

/// Each name with its profiles, in an order in which a name comes right before all those below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Led(OrdMap<Vec<u8>, (DnsName, OrdSet<Arc<str>>)>);

impl Led {
    /// An endpoint of a profile, which is known by this, has this target.
    pub(crate) fn add(&mut self, target: &DnsName, profile: &Arc<str>) {
        let led = self.0.entry(target.from_root()).or_insert_with(|| (target.clone(), OrdSet::new()));
        led.1.insert(profile.clone());
    }

    /// None has it any longer.
    pub(crate) fn remove(&mut self, target: &DnsName, profile: &Arc<str>) {
        let key = target.from_root();
        if let Some((_, profiles)) = self.0.get_mut(&key) {
            profiles.remove(profile);
            if profiles.is_empty() {
                self.0.remove(&key);
            }
        }
    }

    /// The profiles that lead to a name.
    pub(crate) fn at(&self, name: &DnsName) -> impl Iterator<Item = &Arc<str>> {
        self.0.get(&name.from_root()).into_iter().flat_map(|(_, profiles)| profiles)
    }

    /// Those at a name and below it; no others are looked at.
    pub(crate) fn below(&self, name: &DnsName) -> impl Iterator<Item = &(DnsName, OrdSet<Arc<str>>)> {
        let above = name.from_root();
        let from_here = self.0.range(above.clone()..);
        #[cfg(test)]
        let from_here = from_here.inspect(|_| tests::LOOKED_AT.set(tests::LOOKED_AT.get() + 1));
        from_here.take_while(move |(key, _)| key.starts_with(&above)).map(|(_, led)| led)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{
        compile::{Tree, Zones},
        desired::Profile,
        samples,
    };

    thread_local! {
        /// How many names were looked at.
        pub(super) static LOOKED_AT: Cell<usize> = const { Cell::new(0) };
    }

    fn name(text: &str) -> DnsName {
        text.parse().unwrap()
    }

    fn below(led: &Led, above: &str) -> Vec<String> {
        led.below(&name(above)).map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn below_a_name_is_what_ends_in_all_its_labels() {
        let names = ["b.a", "a", "x.b.a", "xb.a", "ba", "a.b", "*.b.a", "b.a.a"];
        let mut led = Led::default();
        names.iter().for_each(|target| led.add(&name(target), &"p".into()));
        assert_eq!(below(&led, "b.a"), ["b.a", "*.b.a", "x.b.a"]);
        assert_eq!(below(&led, "b"), ["a.b"]);
        assert_eq!(below(&led, "c"), [""; 0]);
        for above in names {
            let expected = names.iter().filter(|target| name(target).is_within(&name(above))).count();
            assert_eq!(below(&led, above).len(), expected, "{above}");
        }
        assert_eq!(led.below(&DnsName::root()).count(), names.len());
    }

    #[test]
    fn a_name_is_led_to_until_the_last_profile_leads_elsewhere() {
        let mut led = Led::default();
        let [one, other]: [Arc<str>; 2] = ["one".into(), "other".into()];
        for profile in [&one, &other, &one] {
            led.add(&name("a"), profile);
        }
        let who = |led: &Led| led.below(&name("a")).flat_map(|(_, who)| who.clone()).collect::<Vec<_>>();
        assert_eq!(who(&led), [one.clone(), other.clone()]);
        led.remove(&name("a"), &one);
        led.remove(&name("a"), &one);
        assert_eq!(who(&led), std::slice::from_ref(&other));
        led.remove(&name("a"), &other);
        assert!(led.0.is_empty());
    }

    /// A profile with an endpoint of this target.
    fn profile(name: &str, target: &str) -> Profile {
        samples::profile(name, samples::monitor(), vec![samples::endpoint("e", target)])
    }

    #[test]
    fn a_change_among_100_000_profiles_looks_at_what_leads_around_it_alone() {
        let mut tree = Tree::over(Arc::new(Zones::of(&samples::desired(&[], vec![]))));
        for i in 0..100_000 {
            tree.change(None, Some(&profile(&format!("p{i}"), &format!("t{i}.tm.example"))));
        }
        let led_by = |tree: &Tree, touched: &[DnsName]| {
            LOOKED_AT.set(0);
            let led: Vec<String> = tree.leading_to(touched).iter().map(ToString::to_string).collect();
            (led, LOOKED_AT.get())
        };
        let mut changed = |old: Option<&str>, new: Option<&str>| {
            let [old, new] = [old, new].map(|name| name.map(|name| profile(name, "192.0.2.1")));
            let touched = tree.change(old.as_ref(), new.as_ref());
            led_by(&tree, &touched)
        };
        // Each with the name behind, which is looked at and is not below.
        assert_eq!(changed(None, Some("x.t7")), (vec!["p7".to_owned()], 2), "t7 has no data now");
        assert_eq!(changed(Some("x.t7"), None), (vec!["p7".to_owned()], 2));
        assert_eq!(changed(None, Some("t7")), (vec![], 2), "t7 is followed, which is decided");
        assert_eq!(changed(Some("t7"), None), (vec!["p7".to_owned()], 2));
        assert_eq!(changed(None, Some("a1")), (vec![], 1));
        // A wildcard at the apex is about all of them.
        let (led, looked_at) = changed(None, Some("*"));
        assert_eq!((led.len(), looked_at), (100_000, 100_000));
    }
}
