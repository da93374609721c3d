//! A server over stdio that shows what reaches it, and sends what it is asked to send, byte for byte.
//!
//! - A request whose parameters have `say`, an array of strings, is answered with these lines. In each, `@ID@` stands
//!   for the request's id.
//! - One whose parameters have `fill`, a number, is answered with a string of so many letters.
//! - Any other request is answered with the line that it came in: its result has it as the string `line`, or if that would be
//!   longer than a message may be, its SHA-256.

use std::fmt;
use std::io::{self, BufRead, Write};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// A line of so many bytes is not sent back.
const LONG: usize = 8 << 20;

/// The members of an object as they are written. A name may have half of a surrogate pair in it, which is not text.
struct Members<'a>(Vec<(&'a str, &'a str)>);

impl Members<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let named = |(found, _): &&(&str, &str)| found.trim_matches('"') == name;
        self.0.iter().rev().find(named).map(|(_, value)| *value)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OfMembers;
        impl<'de> Visitor<'de> for OfMembers {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((name.get(), value.get()));
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(OfMembers)
    }
}

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let Ok(message) = serde_json::from_str::<Members<'_>>(&line) else {
            continue;
        };
        let (Some(id), Some(method)) = (message.get("id"), message.get("method")) else {
            continue;
        };
        let params = message
            .get("params")
            .and_then(|it| serde_json::from_str::<Members<'_>>(it).ok());
        let param = |name| params.as_ref().and_then(|it| it.get(name));
        let say = param("say").and_then(|it| serde_json::from_str::<Vec<String>>(it).ok());
        let fill = param("fill").and_then(|it| it.parse().ok());
        let fill = fill.map(|it| vec![result(&format!("\"{}\"", "x".repeat(it)))]);
        for answer in say.or(fill).unwrap_or_else(|| vec![answer(method, &line)]) {
            writeln!(output, "{}", answer.replace("@ID@", id))?;
        }
        output.flush()?;
    }
    Ok(())
}

fn answer(method: &str, line: &str) -> String {
    let answer = match method {
        r#""initialize""# => json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "logging": {}, "tools": {} },
            "serverInfo": { "name": "mirror-server", "version": env!("CARGO_PKG_VERSION") },
        }),
        r#""tools/list""# => {
            json!({ "tools": [{ "name": "mirror", "inputSchema": { "type": "object" } }] })
        }
        r#""server/discover""# => {
            return r#"{"jsonrpc":"2.0","id":@ID@,"error":{"code":-32601,"message":"there is no such method"}}"#.to_owned();
        }
        _ if line.len() > LONG => {
            json!({ "sha256": format!("{:x}", Sha256::digest(line)) })
        }
        _ => json!({ "line": line }),
    };
    // `@ID@` in what came in stands for nothing.
    result(&answer.to_string().replace('@', "\\u0040"))
}

fn result(result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":@ID@,"result":{result}}}"#)
}
