//! Expressions of ARM templates: as far as exported templates of profiles have them.

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::api::arm::id::{PROFILES, PROVIDER, Scope, group_id};

/// How deep an expression may lead to others.
const DEPTH_AT_MOST: usize = 16;

/// A template.
pub(super) struct Template<'a> {
    whole: &'a Value,
    scope: &'a Scope,
}

impl<'a> Template<'a> {
    pub(super) fn new(whole: &'a Value, scope: &'a Scope) -> Self {
        Template { whole, scope }
    }

    /// Its resources of the service, without expressions.
    pub(super) fn resources(&self) -> anyhow::Result<Vec<Value>> {
        let own = format!("{PROVIDER}/{PROFILES}").to_ascii_lowercase();
        let is_own = |item: &&Value| {
            item["type"].as_str().is_some_and(|kind| kind.to_ascii_lowercase().starts_with(&own))
        };
        let resources =
            self.whole.get("resources").and_then(Value::as_array).context("the template has no resources")?;
        resources.iter().filter(is_own).map(|item| self.value(item, 0)).collect()
    }

    fn value(&self, value: &Value, depth: usize) -> anyhow::Result<Value> {
        Ok(match value {
            Value::String(text) => match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
                Some(literal) if literal.starts_with('[') => Value::String(text[1..].to_owned()),
                Some(expression) => self.expression(expression.trim(), depth)?,
                None => value.clone(),
            },
            Value::Array(items) => {
                items.iter().map(|item| self.value(item, depth)).collect::<Result<_, _>>()?
            }
            Value::Object(map) => {
                let members = map.iter().map(|(key, item)| Ok((key.clone(), self.value(item, depth)?)));
                Value::Object(members.collect::<anyhow::Result<_>>()?)
            }
            _ => value.clone(),
        })
    }

    fn expression(&self, text: &str, depth: usize) -> anyhow::Result<Value> {
        if depth > DEPTH_AT_MOST {
            bail!("`{text}` leads back to itself");
        }
        if let Some(literal) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            return Ok(literal.replace("''", "'").into());
        }
        if let Ok(number) = text.parse::<i64>() {
            return Ok(number.into());
        }
        let not_understood = || format!("`{text}` is no expression that is understood");
        let (function, rest) = text.split_once('(').with_context(not_understood)?;
        let inside = rest.strip_suffix(')').with_context(not_understood)?;
        let arguments: Vec<Value> = match function.to_ascii_lowercase().as_str() {
            "parameters" | "variables" | "concat" | "resourceid" => {
                let arguments =
                    split(inside).into_iter().map(|argument| self.expression(argument, depth + 1));
                arguments.collect::<Result<_, _>>()?
            }
            _ => bail!(not_understood()),
        };
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let words: Vec<String> = arguments.iter().map(word).collect();
        Ok(match (function.to_ascii_lowercase().as_str(), &words[..]) {
            ("parameters", [name]) => {
                let known = &self.whole["parameters"][name];
                let default = known.get("defaultValue").or_else(|| known.get("value"));
                let default =
                    default.with_context(|| format!("the parameter `{name}` has no default value"))?;
                self.value(default, depth + 1)?
            }
            ("variables", [name]) => {
                let known = self.whole["variables"].get(name);
                let known = known.with_context(|| format!("there is no variable `{name}`"))?;
                self.value(known, depth + 1)?
            }
            ("concat", _) => words.concat().into(),
            ("resourceid", [kind, name]) => {
                format!("{}/providers/{kind}/{name}", group_id(self.scope)).into()
            }
            ("resourceid", [group, kind, name]) => {
                let scope = Scope { resource_group: group.as_str().into(), ..self.scope.clone() };
                format!("{}/providers/{kind}/{name}", group_id(&scope)).into()
            }
            _ => bail!(not_understood()),
        })
    }
}

/// Arguments between commas that are in no parentheses and no quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0_i32, false, 0);
    let mut parts = Vec::new();
    for (at, char) in text.char_indices() {
        match char {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}
