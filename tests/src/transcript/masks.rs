//! What a transcript writes for the things that differ from run to run.
//!
//! In any string, also in the names of members: `{host}` and `{port}` of the Manager, `{port:c}` of the device on connection
//! c, `{name:c}` its network name, `{manager}` the Manager's. In received lines besides: `port` may be `"{port}"` for that
//! number, `language` and `os` may be `"..."` for any string, `traceback` may be `["..."]` for any array of strings.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the masks stand for in one run.
#[derive(Debug)]
pub struct Masks {
    host: String,
    port: u16,
    devices: BTreeMap<String, Device>,
}

#[derive(Debug)]
struct Device {
    port: u16,
    name: Option<String>,
}

impl Masks {
    /// For a Manager on that computer with that port.
    pub fn new(host: String, port: u16) -> Self {
        Self { host, port, devices: BTreeMap::new() }
    }

    /// There is a new connection.
    pub fn connected(&mut self, connection: &str, port: u16) {
        self.devices.insert(connection.to_owned(), Device { port, name: None });
    }

    /// The device on `connection` has identified itself.
    pub fn identified(&mut self, connection: &str, name: String) {
        self.devices.get_mut(connection).expect("an open connection").name = Some(name);
    }

    /// The network name of the device on `connection`, once it has identified itself.
    pub fn network_name(&self, connection: &str) -> Option<String> {
        let device = self.devices.get(connection)?;
        device.name.as_ref().map(|name| format!("{name}[{}:{}]", self.host, device.port))
    }

    /// The text with every mask replaced.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (connection, device) in &self.devices {
            filled = filled.replace(&format!("{{port:{connection}}}"), &device.port.to_string());
            if let Some(name) = self.network_name(connection) {
                filled = filled.replace(&format!("{{name:{connection}}}"), &name);
            }
        }
        filled
            .replace("{manager}", &format!("Manager[{}:{}]", self.host, self.port))
            .replace("{host}", &self.host)
            .replace("{port}", &self.port.to_string())
    }

    /// Where `actual` is not what `expected` stands for, if anywhere.
    pub fn difference(&self, expected: &Value, actual: &Value) -> Option<String> {
        self.difference_at("", expected, actual)
    }

    fn difference_at(&self, path: &str, expected: &Value, actual: &Value) -> Option<String> {
        let member = path.rsplit('/').next().unwrap_or_default();
        let equal = match (expected, actual) {
            (Value::Object(wanted), Value::Object(found)) => {
                let filled: BTreeMap<String, &Value> =
                    wanted.iter().map(|(name, value)| (self.fill(name), value)).collect();
                if filled.len() != found.len() || !filled.keys().all(|name| found.contains_key(name)) {
                    let names = |object: &mut dyn Iterator<Item = &String>| {
                        object.cloned().collect::<Vec<_>>().join(", ")
                    };
                    return Some(format!(
                        "{path}: members {}, not {}",
                        names(&mut found.keys()),
                        names(&mut filled.keys())
                    ));
                }
                return filled.iter().find_map(|(name, value)| {
                    self.difference_at(&format!("{path}/{name}"), value, &found[name])
                });
            }
            (Value::Array(wanted), Value::Array(found)) if member == "traceback" && is_any(wanted) => {
                found.iter().all(Value::is_string)
            }
            (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
                return wanted.iter().zip(found).enumerate().find_map(|(index, (wanted, found))| {
                    self.difference_at(&format!("{path}/{index}"), wanted, found)
                });
            }
            (Value::String(wanted), Value::String(_))
                if wanted == "..." && ["language", "os"].contains(&member) =>
            {
                true
            }
            (Value::String(wanted), Value::Number(found)) if wanted == "{port}" && member == "port" => {
                found.as_u64() == Some(u64::from(self.port))
            }
            (Value::String(wanted), Value::String(found)) => self.fill(wanted) == *found,
            // 1 and 1.0 are one number to a Python device.
            (Value::Number(wanted), Value::Number(found)) => {
                wanted == found || wanted.as_f64() == found.as_f64()
            }
            _ => expected == actual,
        };
        (!equal).then(|| format!("{path}: {actual}, not {expected}"))
    }
}

fn is_any(strings: &[Value]) -> bool {
    matches!(strings, [Value::String(any)] if any == "...")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masks() -> Masks {
        let mut masks = Masks::new("lab".to_owned(), 1875);
        masks.connected("c", 5000);
        masks.identified("c", "Ann".to_owned());
        masks
    }

    #[test]
    fn every_mask_is_filled_in() {
        assert_eq!(
            masks().fill("{host} {port} {port:c} {name:c} {manager} {other}"),
            "lab 1875 5000 Ann[lab:5000] Manager[lab:1875] {other}"
        );
    }

    #[test]
    fn what_a_mask_stands_for_is_no_difference() {
        let expected =
            json!({"{name:c}": 1, "port": "{port}", "os": "...", "traceback": ["..."], "result": ["{host}"]});
        let actual =
            json!({"Ann[lab:5000]": 1.0, "port": 1875, "os": "any", "traceback": [], "result": ["lab"]});
        assert_eq!(masks().difference(&expected, &actual), None);
    }

    #[test]
    fn everything_else_is_a_difference() {
        for (expected, actual) in [
            (json!({"a": 1}), json!({"a": 2})),
            (json!({"a": 1}), json!({"a": "1"})),
            (json!({"a": 1}), json!({})),
            (json!({}), json!({"a": 1})),
            (json!([1]), json!([1, 2])),
            (json!({"traceback": ["..."]}), json!({"traceback": [1]})),
            (json!({"traceback": []}), json!({"traceback": ["a"]})),
            (json!({"port": "{port}"}), json!({"port": 1876})),
            (json!({"os": "..."}), json!({"os": null})),
            (json!({"name": "..."}), json!({"name": "any"})),
            (json!({"deep": [{"a": "{host}"}]}), json!({"deep": [{"a": "bal"}]})),
        ] {
            assert!(masks().difference(&expected, &actual).is_some(), "{expected} and {actual}");
        }
    }
}
