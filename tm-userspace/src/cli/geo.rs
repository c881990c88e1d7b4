//! `tm geo`: what the database says of an address, what there is in it, and which codes there are.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Failure, Output,
    out::{say, tell},
    report,
    rtt::{self, RoundTrip},
};
use crate::{
    config,
    geo::{Client, Code, Database, Mapping, Overrides, Region, Survey, placed_by, ranking},
    time::rfc3339,
};

/// A database older than this no longer knows where many networks are.
const OLD: Duration = Duration::from_secs(60 * 86_400);
/// Regions that people are shown; programs get all.
const SHOWN_REGIONS: usize = 5;

#[derive(Debug, Subcommand)]
pub(super) enum Geo {
    /// Say where an address is: its network, and its codes from the most to the least specific.
    Lookup {
        /// Address of a client.
        address: IpAddr,
        /// A file of what is known better: `client,region,milliseconds`, the client a prefix, an address or a code; that of `tm.toml` unless a database is given.
        #[arg(long, value_name = "FILE")]
        latency: Option<PathBuf>,
        #[command(flatten)]
        from: From,
    },
    /// Read all of the database and say what is in it.
    Check(From),
    /// Try a mapping: how many networks each owner of codes would have.
    Map {
        /// An owner and its codes, as `europe=GEO-EU,TR`; a code may be mapped once.
        #[arg(value_name = "NAME=CODE,...", required = true)]
        owners: Vec<String>,
        #[command(flatten)]
        from: From,
    },
    /// List Azure's regions, which endpoints may be said to be in.
    Regions {
        /// Only this region.
        region: Option<String>,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Tell the daemon how long packets take from a client's network to a region, or list what it knows: measurements, once there are three, go before its guess.
    Rtt(RoundTrip),
    /// List the codes that endpoints may be mapped to.
    Codes {
        /// Only this code and what lies in it.
        #[arg(value_name = "CODE", default_value = "WORLD")]
        below: String,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
}

/// Which database, and how to print.
#[derive(Debug, Args)]
pub(super) struct From {
    /// Directory whose `tm.toml` names the database.
    #[arg(long, value_name = "DIR", env = "TM_CONFIG", default_value = "/etc/tm")]
    config: PathBuf,
    /// A database, instead of that of `tm.toml`.
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(command: Geo) -> Result<(), Failure> {
    match command {
        Geo::Lookup { address, latency, from } => lookup(address, latency.as_deref(), &from),
        Geo::Map { owners, from } => map(&owners, &from),
        Geo::Regions { region, output } => regions(region.as_deref(), output),
        Geo::Check(from) => check(&from),
        Geo::Codes { below, output } => codes(&below, output),
        Geo::Rtt(asked) => rtt::run(asked).await,
    }
}

fn lookup(address: IpAddr, latency: Option<&Path>, from: &From) -> Result<(), Failure> {
    let named = config::latency(&from.config).filter(|_| from.database.is_none());
    let overrides = latency.or(named.as_deref()).map(Overrides::read).transpose()?.unwrap_or_default();
    let database = from.open()?;
    let by = placed_by(address);
    let found =
        database.find(by).with_context(|| format!("cannot look up {by} in {}", database.path().display()))?;
    let client = Client { address: by, code: found.code, point: found.point };
    let ranking = ranking(&client, &overrides, Region::all());
    let codes: Vec<&str> = found.code.upwards().map(Code::as_str).collect();
    match from.output {
        form @ (Output::Json | Output::Yaml) => form.print(&json!({
            "address": address, "placed_by": by, "network": found.network, "country": found.country, "division": found.division, "codes": codes, "point": found.point,
            "regions": ranking.iter().map(|(region, ms)| json!({ "region": region, "ms": ms })).collect::<Vec<_>>(),
        }))?,
        Output::Text => {
            if by != address {
                say!("placed by {by}");
            }
            say!("network {}", found.network);
            let said = [&found.country, &found.division]
                .into_iter()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            say!("said to be in {}", if said.is_empty() { "no known country" } else { &said });
            let nearest =
                ranking.iter().take(SHOWN_REGIONS).map(|(region, ms)| format!("{region} ({ms:.0} ms)"));
            let nearest = nearest.collect::<Vec<_>>().join(", ");
            say!("nearest regions {}", if nearest.is_empty() { "not known" } else { &nearest });
            say!("{}", codes.join(" "));
        }
    }
    Ok(())
}

fn check(from: &From) -> Result<(), Failure> {
    let database = from.open()?;
    let path = database.path().display();
    let survey = database.survey().with_context(|| format!("cannot use the database {path}"))?;
    let warnings = warnings(&survey, SystemTime::now());
    match from.output {
        form @ (Output::Json | Output::Yaml) => form.print(
            &json!({ "ok": true, "database": database.path(), "survey": survey, "warnings": warnings }),
        )?,
        Output::Text => {
            warnings.iter().for_each(|warning| tell!("warning: {path}: {warning}"));
            say!("{path}: {}, built {}", survey.kind, rfc3339(survey.built));
            say!("networks: {} of IPv4, {} of IPv6", survey.rows_ipv4, survey.rows_ipv6);
            say!("countries: {}, states and provinces: {}", survey.countries, survey.divisions);
            say!("ok");
        }
    }
    Ok(())
}

fn warnings(survey: &Survey, now: SystemTime) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Ok(age) = now.duration_since(survey.built)
        && age > OLD
    {
        warnings.push(format!("it is {} days old: get a newer one", age.as_secs() / 86_400));
    }
    for (family, rows) in [("IPv4", survey.rows_ipv4), ("IPv6", survey.rows_ipv6)] {
        if rows == 0 {
            warnings.push(format!("it knows nothing of {family}: those clients are in WORLD alone"));
        }
    }
    if survey.without_country > 0 {
        warnings
            .push(format!("{} networks have no country: they are in WORLD alone", survey.without_country));
    }
    for (country, rows) in &survey.unknown {
        warnings.push(format!(
            "country {country:?} is not in the hierarchy: its {rows} networks are in WORLD alone"
        ));
    }
    warnings
}

fn codes(below: &str, output: Output) -> Result<(), Failure> {
    let root = Code::find(below).ok_or_else(|| {
        let meant = Code::meant(below).map_or_else(String::new, |code| format!("; did you mean {code}?"));
        anyhow!("there is no code {below:?}{meant}")
    })?;
    let codes = || Code::all().filter(|code| code.upwards().any(|up| up == root));
    match output {
        form @ (Output::Json | Output::Yaml) => {
            form.print(&codes().map(|code| json!({ "code": code, "in": code.parent() })).collect::<Vec<_>>())?
        }
        Output::Text => codes().for_each(|code| say!("{}{code}", "  ".repeat(code.upwards().count() - 1))),
    }
    Ok(())
}

fn map(owners: &[String], from: &From) -> Result<(), Failure> {
    let mut mapping = Mapping::default();
    let mut names = Vec::new();
    for text in owners {
        let (name, codes) = text
            .split_once('=')
            .ok_or_else(|| anyhow!("{text:?} is not NAME=CODE,..., as europe=GEO-EU,TR"))?;
        for code in codes.split(',') {
            mapping.add(code.trim(), names.len()).with_context(|| format!("of {name:?}"))?;
        }
        names.push(name);
    }
    let database = from.open()?;
    let rows =
        database.rows(&mapping).with_context(|| format!("cannot read {}", database.path().display()))?;
    let count = |owner: usize| {
        let v4 = rows.v4.iter().filter(|(_, its)| *its == owner).count();
        (v4, rows.v6.iter().filter(|(_, its)| *its == owner).count())
    };
    let shown: Vec<_> = (0..names.len()).map(|i| (names[i], count(i), rows.rest == Some(i))).collect();
    match from.output {
        form @ (Output::Json | Output::Yaml) => {
            let owners = shown.iter().map(|(name, (v4, v6), rest)| json!({ "name": name, "networks_ipv4": v4, "networks_ipv6": v6, "rest": rest }));
            form.print(
                &json!({ "owners": owners.collect::<Vec<_>>(), "rest_unmapped": rows.rest.is_none() }),
            )?;
        }
        Output::Text => {
            for (name, (v4, v6), rest) in shown {
                let rest = if rest { " and all that is not another's" } else { "" };
                say!("{name}: networks {v4} of IPv4, {v6} of IPv6{rest}");
            }
            if rows.rest.is_none() {
                say!("all else is nobody's: map WORLD to answer it");
            }
        }
    }
    Ok(())
}

fn regions(only: Option<&str>, output: Output) -> Result<(), Failure> {
    let only = only.map(|text| {
        Region::find(text).ok_or_else(|| {
            let meant =
                Region::meant(text).map_or_else(String::new, |region| format!("; did you mean {region}?"));
            anyhow!("there is no region {text:?}{meant}")
        })
    });
    let only = only.transpose()?;
    let regions = || Region::all().filter(|region| only.is_none_or(|only| only == *region));
    match output {
        form @ (Output::Json | Output::Yaml) => {
            form.print(
                &regions()
                    .map(|region| json!({ "region": region, "point": region.point() }))
                    .collect::<Vec<_>>(),
            )?;
        }
        Output::Text => regions().for_each(|region| say!("{region}")),
    }
    Ok(())
}

impl From {
    fn open(&self) -> Result<Database, Failure> {
        let path = match &self.database {
            Some(path) => path.clone(),
            None => config::database(&self.config).map_err(report)?.ok_or_else(|| {
                anyhow!(
                    "no database is named in {}: write [geo] and database = \"...\", or give --database FILE",
                    self.config.join("tm.toml").display()
                )
            })?,
        };
        Ok(Database::open(&path).with_context(|| format!("cannot use the database {}", path.display()))?)
    }
}
