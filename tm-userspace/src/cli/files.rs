//! Files of profiles and services, as `conf.d` has them, in TOML, YAML or JSON: read from wherever they lie, and written.

use std::{
    collections::HashMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::ValueEnum;
use serde_json::Value;

use crate::{
    api::native::Whole,
    config::{Document, file_schema, key, ordered_profile, ordered_service},
};

/// The parts of a YAML file that are read: its own reader is for small ones.
const YAML_NODES_AT_MOST: usize = 20_000_000;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// As in `conf.d`.
    Toml,
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
}

/// What files say.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// All of it.
    pub(super) whole: Whole,
    /// The file of each profile.
    pub(super) profiles: Vec<PathBuf>,
    /// The file of each service.
    pub(super) services: Vec<PathBuf>,
}

/// Reads files, all such files in directories and below them, and for `-` standard input. What begins with a dot is passed over.
pub(super) fn read(paths: &[PathBuf]) -> Result<Given> {
    let mut given = Given::default();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
            given.take(Path::new("standard input"), &text, guess(&text))?;
        } else if path.is_dir() {
            let mut files = Vec::new();
            find(path, &mut files)?;
            if files.is_empty() {
                bail!("{} has no file that ends in .toml, .yaml, .yml or .json", path.display());
            }
            for (file, format) in files {
                given.take_file(&file, format)?;
            }
        } else {
            fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
            let format = format_of(path)
                .with_context(|| format!("{} does not end in .toml, .yaml, .yml or .json", path.display()))?;
            given.take_file(path, format)?;
        }
    }
    given.once()?;
    Ok(given)
}

/// All of it as one file.
pub(super) fn text(whole: &Whole, format: Format) -> Result<String> {
    let schema = file_schema();
    let whole = Whole {
        profile: whole.profile.iter().map(|document| ordered_profile(document, &schema)).collect(),
        service: whole.service.iter().map(|document| ordered_service(document, &schema)).collect(),
    };
    // What is picked from comes first, and what is empty is left out.
    let mut written = Document::new();
    for (key, documents) in [("service", whole.service), ("profile", whole.profile)] {
        if !documents.is_empty() {
            written.insert(key.to_owned(), documents.into_iter().map(Value::Object).collect());
        }
    }
    Ok(match format {
        Format::Toml => toml::to_string(&written)?,
        Format::Yaml => serde_saphyr::to_string(&written)?,
        Format::Json => serde_json::to_string_pretty(&written)? + "\n",
    })
}

impl Given {
    fn take_file(&mut self, path: &Path, format: Format) -> Result<()> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        self.take(path, &text, format)
    }

    fn take(&mut self, path: &Path, text: &str, format: Format) -> Result<()> {
        let wrong = || format!("{} cannot be applied", path.display());
        let documents = match format {
            Format::Toml => vec![toml::from_str(text).with_context(wrong)?],
            Format::Json => vec![serde_json::from_str(text).with_context(wrong)?],
            Format::Yaml => {
                let options = serde_saphyr::options! {
                    // As JSON and TOML have them: `no` is a country.
                    strict_booleans: true,
                    budget: serde_saphyr::budget! { max_nodes: YAML_NODES_AT_MOST, max_events: 2 * YAML_NODES_AT_MOST },
                };
                serde_saphyr::from_multiple_with_options(text, options).with_context(wrong)?
            }
        };
        for document in documents {
            let whole = whole(document).with_context(wrong)?;
            self.profiles.extend(whole.profile.iter().map(|_| path.to_owned()));
            self.services.extend(whole.service.iter().map(|_| path.to_owned()));
            self.whole.profile.extend(whole.profile);
            self.whole.service.extend(whole.service);
        }
        Ok(())
    }

    /// No profile is there twice: which one would be meant?
    fn once(&self) -> Result<()> {
        let mut seen: HashMap<_, &Path> = HashMap::new();
        for (document, path) in self.whole.profile.iter().zip(&self.profiles) {
            let Some(name) = document.get("name").and_then(Value::as_str) else { continue };
            if let Some(first) = seen.insert(key(name), path) {
                bail!(
                    "profile {name} is in {} and in {}: remove one of the two",
                    first.display(),
                    path.display()
                );
            }
        }
        Ok(())
    }
}

/// A file's tables.
fn whole(document: Value) -> Result<Whole> {
    let known = "a file has [[profile]] and [[service]] tables, lists of these names in YAML and JSON";
    let tables = match document {
        Value::Null => return Ok(Whole::default()),
        Value::Object(tables) => tables,
        _ => bail!("this is no such file: {known}"),
    };
    let mut whole = Whole::default();
    for (kind, value) in tables {
        let list = match &*kind {
            "profile" => &mut whole.profile,
            "service" => &mut whole.service,
            _ => bail!("unknown key `{kind}`: {known}"),
        };
        let Value::Array(items) = value else { bail!("`{kind}` is no list: {known}") };
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Value::Object(document) => list.push(document),
                _ => return Err(anyhow!("{kind} {} has no keys", index + 1)),
            }
        }
    }
    Ok(whole)
}

fn find(dir: &Path, files: &mut Vec<(PathBuf, Format)>) -> Result<()> {
    let unread = || format!("cannot read the directory {}", dir.display());
    let mut entries =
        fs::read_dir(dir).with_context(unread)?.collect::<Result<Vec<_>, _>>().with_context(unread)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // A link to a directory is not followed, so that this ends; one to a file is.
        let kind = entry.file_type().with_context(unread)?;
        match format_of(&path) {
            _ if hidden => {}
            _ if kind.is_dir() => find(&path, files)?,
            Some(format) if path.is_file() => files.push((path, format)),
            _ => {}
        }
    }
    Ok(())
}

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "toml" => Some(Format::Toml),
        "yaml" | "yml" => Some(Format::Yaml),
        "json" => Some(Format::Json),
        _ => None,
    }
}

/// By the first line that says something.
fn guess(text: &str) -> Format {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    match first {
        Some(line) if line.starts_with('{') => Format::Json,
        Some(line) if line.starts_with("[[") => Format::Toml,
        _ => Format::Yaml,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(name: &str, text: &str) -> Result<Whole> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join(name);
        fs::write(&path, text)?;
        Ok(read(&[path])?.whole)
    }

    fn example() -> Whole {
        let profile = json!({
            "endpoint": [{
                "monitor": { "headers": { "z": "1", "a": "true" } }, "weight": 3, "name": "no", "geo_mapping": ["NO", "GEO-EU"],
                "target": "192.0.2.1", "always_serve": true, "priority": null
            }],
            "routing_method": "geographic", "name": "1e3", "monitor": { "interval": "10s", "expected_status": ["200-299"], "path": "/a: b #c" },
        });
        let service = json!({ "target": "192.0.2.2", "id": "/x", "name": "null" });
        let object = |value: Value| value.as_object().unwrap().clone();
        Whole { profile: vec![object(profile)], service: vec![object(service)] }
    }

    #[test]
    fn what_is_written_is_read_again_in_every_format() {
        let example = example();
        for (format, name) in [(Format::Toml, "a.toml"), (Format::Yaml, "a.yml"), (Format::Json, "a.json")] {
            let written = text(&example, format).unwrap();
            let again = given(name, &written).unwrap();
            for (one, other) in
                example.profile.iter().zip(&again.profile).chain(example.service.iter().zip(&again.service))
            {
                let (one, other) = (Value::Object(one.clone()), Value::Object(other.clone()));
                assert!(crate::config::is_same_document(&one, &other), "{written}\n{other:#}");
            }
            // And then it is written the same.
            assert_eq!(text(&again, format).unwrap(), written);
        }
    }

    #[test]
    fn keys_have_the_order_of_the_documentation() {
        let written = text(&example(), Format::Toml).unwrap();
        let keys: Vec<_> = written
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| line.split(" =").next().unwrap())
            .collect();
        let expected = [
            "[[service]]",
            "id",
            "name",
            "target",
            "[[profile]]",
            "name",
            "routing_method",
            "[profile.monitor]",
            "path",
            "interval",
            "expected_status",
            "[[profile.endpoint]]",
            "name",
            "target",
            "weight",
            "always_serve",
            "geo_mapping",
            "[profile.endpoint.monitor.headers]",
            "z",
            "a",
        ];
        assert_eq!(keys, expected, "{written}");
    }

    #[test]
    fn other_files_are_refused_by_name() {
        for (name, text, said) in [
            ("a.toml", "zone = \"x\"\n", "unknown key `zone`"),
            ("a.yaml", "- 1\n", "this is no such file"),
            ("a.yaml", "profile: {}\n", "`profile` is no list"),
            ("a.json", "{\"profile\": [1]}", "profile 1 has no keys"),
            ("a.json", "{", "EOF"),
            ("a.txt", "", "does not end in .toml"),
            ("a.yaml", "profile:\n- name: x\n- name: X\n", "profile X is in"),
        ] {
            let error = format!("{:#}", given(name, text).unwrap_err());
            assert!(error.contains(said) && error.contains(name), "{name}: {error}");
        }
    }

    #[test]
    fn directories_are_read_to_their_ends_without_what_is_hidden() {
        let dir = tempfile::tempdir().unwrap();
        for (path, name) in
            [("b.yaml", "b"), ("a/c.json", "c"), (".git/d.yaml", "d"), ("a/.e.yaml", "e"), ("f.txt", "f")]
        {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{{\"profile\": [{{\"name\": \"{name}\"}}]}}")).unwrap();
        }
        // One within itself.
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/g")).unwrap();
        fs::write(dir.path().join("two.yaml"), "profile: [{name: h}]\n---\n---\nprofile: [{name: i}]\n")
            .unwrap();
        let given = read(&[dir.path().to_owned()]).unwrap();
        let names: Vec<_> =
            given.whole.profile.iter().map(|document| document["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["c", "b", "h", "i"]);
        assert!(read(&[dir.path().join(".git")]).is_ok());
        assert!(read(&[dir.path().join("none.yaml")]).is_err());
    }
}
