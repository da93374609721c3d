//! A client's file whose servers move behind the gateway.

use std::path::Path;

use mcplexer_clients::{ClientConfig, HandedOver, Syntax, Variables};
use mcplexer_files::config::ServerName;

use super::import::{Imported, NotImported, of_entries};
use crate::adoption;

/// What handing a client's file over to the gateway makes.
#[derive(Debug)]
#[non_exhaustive]
pub struct HandOver {
    /// The servers for `config.yaml`.
    pub servers: Vec<Imported>,
    /// The client's file, and its servers as they were written.
    pub file: HandedOver,
}

/// Returns what handing a file over to the gateway makes. Changes nothing.
///
/// `text` is what adopting makes of the file: its credentials are references. `program` is the command, or better its
/// absolute path, that the client starts from then on, as `program connect --client CLIENT`.
/// [`ClientConfig::take_back`] gives `text` back, to the byte, and undoing the adoption gives the file.
///
/// # Errors
/// [`NotImported::Refused`] if a server cannot be in `config.yaml`; [`NotImported::HandOver`] if the file is written in a
/// way that could not be put back; [`NotImported::File`] if it has no servers.
pub fn hand_over(
    path: &Path,
    text: &[u8],
    program: &str,
    client: &ServerName,
) -> Result<HandOver, NotImported> {
    let config = ClientConfig::parse(text, Syntax::of(path));
    let config = config.map_err(|source| adoption::Error::Invalid {
        file: path.to_owned(),
        source,
    })?;
    let config = config.with_variables(Variables::of(path));
    let handed_over = config.hand_over(program, client.as_str());
    let file = handed_over.map_err(|source| NotImported::HandOver {
        file: path.to_owned(),
        source,
    })?;
    let servers = of_entries(path, config.entries().iter().filter(|it| !it.is_gateway()))?;
    Ok(HandOver { servers, file })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::Refusal;

    #[test]
    fn a_file_becomes_one_entry_and_servers() {
        let text = r#"{"mcpServers": {
            "a": {"command": "/b/mcplexer", "args": ["run", "npx", "-y"], "env": {"T": "mcplexer://a/T?adopted"}},
            "b": {"url": "https://h/mcp"}
        }}"#;
        let client = "cursor".parse().unwrap();
        let path = Path::new("/h/.cursor/mcp.json");
        let made = hand_over(path, text.as_bytes(), "/b/mcplexer", &client).unwrap();
        let after = r#"{"mcpServers": {
            "mcplexer": { "command": "/b/mcplexer", "args": ["connect", "--client", "cursor"] }
        }}"#;
        assert_eq!(str::from_utf8(&made.file.text), Ok(after));
        let names = made.servers.iter().map(|it| it.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["a", "b"]);
        let env = made.servers.first().unwrap().server.transport.values();
        assert_eq!(env["T"], "mcplexer://a/T");
        let config = ClientConfig::parse(&made.file.text, Syntax::Json).unwrap();
        let back = config.take_back("cursor", &made.file.servers).unwrap();
        assert_eq!(str::from_utf8(&back), Ok(text));
    }

    #[test]
    fn a_file_with_a_credential_left_is_refused() {
        let text = r#"{"mcpServers": {"a": {"command": "x", "env": {"API_KEY": "hunter2"}}, "b": {"command": "y"}}}"#;
        let client = "cursor".parse().unwrap();
        let refused = hand_over(Path::new("m.json"), text.as_bytes(), "mcplexer", &client);
        let Err(NotImported::Refused { servers, .. }) = refused else {
            panic!("it has a credential")
        };
        assert!(matches!(servers.as_slice(), [(name, Refusal::Problems(_))] if name == "a"));
    }
}
