//! What it costs to tell a million prefixes apart: how long their tables take to build, how much memory they are, and how long a change of one prefix takes.

use std::{
    fmt::Write as _,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
    time::{Instant, SystemTime},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use tm_common::place::Line;
use tm_userspace::{
    compile::{Compiled, Tree, Zones, compile},
    control::{Control, Counted, Inputs, Published, Tables},
    cookies::Secrets,
    decide::decide,
    desired::{Desired, EndpointKey, Subnet},
    health::{Health, Verdict},
    listen::Host,
    places::Views,
    sync::{Image, buckets_for},
    time::Clock,
    xdp::Kernel,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Spread;
use crate::{mmdb::Writer, texts::NODE, world::desired_of};

/// Countries of the prefixes, each with an endpoint of its own.
const COUNTRIES: [&str; 8] = ["DE", "FR", "US", "BR", "JP", "IN", "ZA", "AU"];

/// In a thousand prefixes, so many of each length from /16 to /24: as in the tables that routers exchange.
const LENGTHS_V4: [u64; 9] = [4, 6, 10, 20, 40, 50, 110, 110, 650];

/// The figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Places {
    /// Prefixes of IPv4, no two neighbours in one country.
    pub prefixes_ipv4: usize,
    /// Prefixes of IPv6, likewise.
    pub prefixes_ipv6: usize,
    /// From the database in memory to views: seconds.
    pub views_seconds: f64,
    /// From there to the daemon's tables: seconds.
    pub tables_seconds: f64,
    /// From there to the kernel's: what loading takes longer than with empty tables, seconds.
    pub copy_seconds: f64,
    /// Views and tables in the daemon: MB.
    pub daemon_megabytes: f64,
    /// The kernel's table of nodes, with what it may grow by: MB.
    pub kernel_megabytes: f64,
    /// The database in the daemon: MB, beside these.
    pub database_megabytes: f64,
    /// From a profile that has one range more or less to the kernel's tables, in microseconds.
    pub change: Spread,
    /// How long verdicts wait to be in the tables while a running daemon makes the view and all tables, in microseconds.
    pub flip_meanwhile: Spread,
}

/// Measures with so many prefixes, and so many changes.
pub fn measure(v4: usize, v6: usize, changes: usize) -> Result<Places> {
    let directory = tempfile::tempdir().context("no temporary directory")?;
    let file = directory.path().join("country.mmdb");
    let octets = database(v4, v6)?;
    let database_megabytes = octets.len() as f64 / 1e6;
    fs::write(&file, octets).context("cannot write the database")?;
    let mut desired = desired_of(&node(&file), &profile())?;

    let before = anonymous_megabytes()?;
    let began = Instant::now();
    let mut views = Views::of(&desired, &Views::default());
    let views_seconds = began.elapsed().as_secs_f64();
    ensure!(views.problems().is_empty(), "{:?}", views.problems());
    let partition = views.get("geo").partition().clone();
    let (runs_v4, runs_v6) = (partition.v4().count(), partition.v6().count());
    ensure!(runs_v4 >= v4 && runs_v6 >= v6, "{runs_v4} and {runs_v6} runs are fewer than there are prefixes");
    drop(partition);
    let mut image = Image::new(buckets_for(1), 7);
    let began = Instant::now();
    drop(image.apply([(&desired.profiles["geo"].dns_name, compiled(&desired, &views).as_ref())]));
    let tables_seconds = began.elapsed().as_secs_f64();
    let daemon_megabytes = anonymous_megabytes()? - before;
    let empty = Image::new(buckets_for(1), 7);
    let began = Instant::now();
    drop(Kernel::load(&empty)?);
    let load_seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let kernel = Kernel::load(&image)?;
    let copy_seconds = (began.elapsed().as_secs_f64() - load_seconds).max(0.0);
    let lines = image.sizes().with_headroom().nodes as usize;
    let kernel_megabytes = (lines * size_of::<Line>()) as f64 / 1e6;

    let flip_meanwhile = flips_meanwhile(&desired)?;
    let mut times = vec![];
    for i in 0..changes {
        desired = changed(&desired, i);
        let began = Instant::now();
        let now = Views::of(&desired, &views);
        let changes = image.apply([(&desired.profiles["geo"].dns_name, compiled(&desired, &now).as_ref())]);
        kernel.copy(&image, &changes);
        times.push(began.elapsed());
        ensure!(kernel.holds(&image), "the kernel's tables are full");
        views = now;
        // As the daemon's own task does, when nobody can be reading any more.
        image.begin_wait();
        image.reclaim();
    }
    let change = Spread::of(times).context("nothing was changed")?;
    Ok(Places {
        prefixes_ipv4: v4,
        prefixes_ipv6: v6,
        views_seconds,
        tables_seconds,
        copy_seconds,
        daemon_megabytes,
        kernel_megabytes,
        database_megabytes,
        change,
        flip_meanwhile,
    })
}

/// How long flips of a profile beside it wait while the large view comes: each is sent when the one before is in the tables.
fn flips_meanwhile(large: &Desired) -> Result<Spread> {
    let beside = "[[profile]]\nname = \"p\"\nrouting_method = \"priority\"\n[[profile.endpoint]]\nname = \"a\"\ntarget = \"10.53.0.11\"\n[[profile.endpoint]]\nname = \"b\"\ntarget = \"10.53.0.12\"\n";
    let alone = desired_of(&NODE.replace("{dir}", "/nowhere"), beside)?;
    let mut profiles = alone.profiles.clone();
    profiles.extend(large.profiles.clone());
    let both =
        Desired { profiles, generation: alone.generation + 1, atlas: large.atlas.clone(), ..alone.clone() };
    let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
    runtime.block_on(async {
        let (desired_to, desired) = watch::channel(Some(alone));
        let (health_to, health) = watch::channel(Health::default());
        let (_host, host) = watch::channel(Host::default());
        let (published_to, mut published) = watch::channel(Arc::<Published>::default());
        let own_cookies = Secrets::parse(&[b'0'; 32]).map_err(anyhow::Error::msg)?;
        let (clock, meters) = (Clock::System, Default::default());
        let load = watch::channel(None).1;
        let mut inputs = Inputs { desired, health, host, load, clock, meters, own_cookies };
        let control = Control::start(&mut inputs, Tables::empty(), published_to, None, Counted::default());
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(control.context("nothing is desired")?.run(inputs, shutdown.clone()));
        let key = EndpointKey { profile: "p".into(), endpoint: "a".into() };
        desired_to.send_replace(Some(both.clone()));
        let (mut times, mut up) = (vec![], true);
        while published.borrow().generation != both.generation {
            up = !up;
            let began = Instant::now();
            health_to.send_modify(|health| {
                let verdict = Verdict { up, since: SystemTime::now(), recovered: false };
                health.verdicts.insert(key.clone(), verdict);
            });
            let answers = |published: &Arc<Published>| {
                let decision = published.decisions.get("p")?;
                Some(decision.places.first()?.first()?.endpoint)
            };
            let wanted = Some(usize::from(!up));
            published.wait_for(|published| answers(published) == wanted).await?;
            times.push(began.elapsed());
        }
        shutdown.cancel();
        task.await.context("the control task panicked")??;
        Spread::of(times).context("nothing was flipped")
    })
}

fn node(database: &Path) -> String {
    format!("{}[geo]\ndatabase = \"{}\"\n", NODE.replace("{dir}", "/nowhere"), database.display())
}

/// An endpoint for each country, and one for the rest.
fn profile() -> String {
    let mut text = String::from("[[profile]]\nname = \"geo\"\nrouting_method = \"geographic\"\n");
    for (country, host) in COUNTRIES.iter().chain(&["WORLD"]).zip(11..) {
        // Writing to a string fails for nobody.
        _ = writeln!(
            text,
            "[[profile.endpoint]]\nname = \"{country}\"\ntarget = \"10.53.0.{host}\"\ngeo_mapping = [\"{country}\"]\nalways_serve = true"
        );
    }
    text
}

fn compiled(desired: &Desired, views: &Views) -> Option<Compiled> {
    let profile = &desired.profiles["geo"];
    let decision =
        decide(&desired.profiles, profile, &views.get("geo"), &Health::default(), SystemTime::UNIX_EPOCH);
    compile(&decision, &Tree::of(desired, Arc::new(Zones::of(desired)), &[]))
}

/// The first endpoint has another range, somewhere in either family, and nothing else.
fn changed(desired: &Desired, i: usize) -> Desired {
    let mut random = Random(i as u64 + 1);
    let subnet = match i % 2 {
        0 => {
            let first = (11 + random.below(180) as u32) << 24 | (random.next() as u32 & 0x00ff_fff0);
            Subnet { first: Ipv4Addr::from(first).into(), last: Ipv4Addr::from(first + 15).into() }
        }
        _ => {
            let first = u128::from(0x2a00 + random.below(8)) << 112 | u128::from(random.next() as u16) << 96;
            Subnet {
                first: Ipv6Addr::from(first).into(),
                last: Ipv6Addr::from(first | ((1 << 72) - 1)).into(),
            }
        }
    };
    let mut profile = (*desired.profiles["geo"]).clone();
    let mut endpoint = (*profile.endpoints[0]).clone();
    endpoint.subnets = vec![subnet];
    profile.endpoints[0] = Arc::new(endpoint);
    let profiles = desired.profiles.update(profile.name.clone(), Arc::new(profile));
    Desired { profiles, generation: desired.generation + 1, ..desired.clone() }
}

/// A database of so many prefixes.
fn database(v4: usize, v6: usize) -> Result<Vec<u8>> {
    let mut writer = Writer::default();
    let mut random = Random(42);
    let mut country = 0;
    let mut next_country = |random: &mut Random| {
        country = (country + 1 + random.below(COUNTRIES.len() as u64 - 1) as usize) % COUNTRIES.len();
        COUNTRIES[country]
    };
    // All over the unicast space, some of which belongs to nobody.
    let spare = (0xdf00_0000u64 - 0x0100_0000).saturating_sub(v4 as u64 * 3000) / v4.max(1) as u64;
    let mut at = 0x0100_0000u64;
    for _ in 0..v4 {
        let mut rank = random.below(1000);
        let index = LENGTHS_V4.iter().position(|count| match rank.checked_sub(*count) {
            Some(rest) => {
                rank = rest;
                false
            }
            None => true,
        });
        let length = 16 + index.unwrap_or(8) as u32;
        let size = 1u64 << (32 - length);
        at = (at + random.below(2 * spare.max(1))) >> 8 << 8;
        at = at.next_multiple_of(size);
        let first = u32::try_from(at).ok().filter(|first| *first < 0xe000_0000);
        let first = first.context("there is no room for so many prefixes of IPv4")?;
        writer.add(IpAddr::V4(first.into()), length as u8, next_country(&mut random));
        at += size;
    }
    // Allocations of /32, in each some rows of neighbours.
    let (mut left, mut allocation) = (v6, 0u128);
    while left > 0 {
        allocation += 1 + u128::from(random.below(4));
        let block = u128::from(
            [0x2400u16, 0x2410, 0x2600, 0x2800, 0x2a00, 0x2a10, 0x2c00][(allocation % 7) as usize],
        );
        let base = (block << 16 | allocation & 0xf_ffff) << 96;
        for part in 0..1 + random.below(4) {
            // A quarter of the allocation each.
            let length = [48u32, 48, 48, 48, 48, 48, 44, 44, 40, 36][random.below(10) as usize];
            let room = 1u64 << (length - 34);
            let count = (1 + random.below(12)).min(room).min(left as u64);
            let start = u128::from(part * room + random.below(room - count + 1));
            for i in 0..u128::from(count) {
                writer.add(
                    Ipv6Addr::from(base | (start + i) << (128 - length)).into(),
                    length as u8,
                    next_country(&mut random),
                );
            }
            left -= count as usize;
        }
    }
    Ok(writer.finish())
}

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Memory of this process that is no file's.
fn anonymous_megabytes() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .context("the kernel does not tell RssAnon")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().context("RssAnon")?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// The figures to be read.
pub fn table(places: &Places) -> String {
    let mut text = String::new();
    let spread = places.change;
    // Writing to a string fails for nobody.
    _ = writeln!(text, "Places: {} IPv4 and {} IPv6 prefixes", places.prefixes_ipv4, places.prefixes_ipv6);
    _ = writeln!(
        text,
        "  built in      {:.2} s: views {:.2} s, tables {:.2} s, to the kernel {:.2} s",
        places.views_seconds + places.tables_seconds + places.copy_seconds,
        places.views_seconds,
        places.tables_seconds,
        places.copy_seconds
    );
    _ = writeln!(
        text,
        "  memory        {:.0} MB: daemon {:.0} MB, kernel {:.0} MB; and the database {:.0} MB",
        places.daemon_megabytes + places.kernel_megabytes,
        places.daemon_megabytes,
        places.kernel_megabytes,
        places.database_megabytes
    );
    _ = writeln!(
        text,
        "  one prefix    {:.2} ms in the middle of {}, {:.2} ms for 99 in 100, {:.2} ms at most",
        spread.median / 1e3,
        spread.count,
        spread.p99 / 1e3,
        spread.most / 1e3
    );
    let spread = places.flip_meanwhile;
    _ = writeln!(
        text,
        "  flips while it is made: {:.2} ms in the middle of {}, {:.2} ms for 99 in 100, {:.2} ms at most",
        spread.median / 1e3,
        spread.count,
        spread.p99 / 1e3,
        spread.most / 1e3
    );
    text
}
