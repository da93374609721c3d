//! The fields of servers and clients.

use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;
use mcplexer_detect::takes_over;
use mcplexer_secrets::{ScopeId, ScopeKind, SecretName};

use super::field::{Fields, List, Named, Required, Shape, check_name};
use super::server::{MAX_TOOL_NAME_LIMIT, MIN_TOOL_NAME_LIMIT, ServerName};
use super::waiting::Waiting;
use crate::reference::SCHEME;

pub(super) const SERVERS: Named = Named {
    of: "servers",
    name: check_server_name,
    value: SERVER,
    is_shown: true,
};

pub(super) const CLIENTS: Named = Named {
    of: "clients",
    name: check_server_name,
    value: CLIENT,
    is_shown: true,
};

/// Fields of a server that is started.
pub(super) const OF_COMMAND: [&str; 4] = ["env", "scopes", "directory", "path"];
/// Fields of a server that is reached by HTTP.
pub(super) const OF_URL: [&str; 2] = ["headers", "auth"];

const SERVER: Shape = Shape::Map(&Fields {
    all: &[
        (
            "command",
            Shape::List(&List {
                hint: ", such as [npx, -y, SERVER]; a line is not split",
                least: 1,
                ..List::of(Shape::Text(check_argument), "the program and its arguments")
            }),
        ),
        ("env", Shape::Named(&ENV)),
        (
            "scopes",
            Shape::List(&List::of(
                Shape::Text(check_name::<ScopeId>),
                "ids of scopes",
            )),
        ),
        ("directory", Shape::Text(check_directory)),
        (
            "path",
            Shape::Text(|text| one_of(text, "path", &["inherit", "login"])),
        ),
        ("url", Shape::Text(check_url)),
        ("headers", Shape::Named(&HEADERS)),
        ("auth", AUTH),
        (
            "start",
            Shape::Text(|text| one_of(text, "start", &["lazy", "eager"])),
        ),
        ("idle_stop", Shape::Text(check_idle_stop)),
        ("timeouts", TIMEOUTS),
        ("disabled", Shape::Bool),
    ],
    required: Required::Any(&["command", "url"]),
});

const ENV: Named = Named {
    of: "variables",
    name: check_variable,
    value: Shape::Text(check_env_value),
    is_shown: false,
};

const HEADERS: Named = Named {
    of: "header fields",
    name: check_header,
    value: Shape::Text(check_header_value),
    is_shown: false,
};

const AUTH: Shape = Shape::Map(&Fields {
    all: &[
        ("scope", Shape::Text(check_name::<ScopeId>)),
        ("type", Shape::Text(check_auth_kind)),
    ],
    required: Required::All(&["scope", "type"]),
});

const TIMEOUTS: Shape = Shape::Map(&Fields {
    all: &[
        ("connect", WAITING),
        ("start", WAITING),
        ("call", WAITING),
        ("total", WAITING),
    ],
    required: Required::All(&[]),
});

const WAITING: Shape = Shape::Text(check_waiting);

const CLIENT: Shape = Shape::Map(&Fields {
    all: &[
        (
            "servers",
            Shape::List(&List::of(
                Shape::Text(check_server_name),
                "names of servers",
            )),
        ),
        (
            "max_tool_name",
            Shape::Number(MIN_TOOL_NAME_LIMIT, MAX_TOOL_NAME_LIMIT),
        ),
    ],
    required: Required::All(&[]),
});

/// Header fields that belong to the connection (RFC 9110, section 7.6.1) or to the protocol, in lower case.
const RESERVED_HEADERS: &str = "accept accept-encoding connection content-encoding content-length \
    content-type expect host keep-alive last-event-id proxy-authenticate proxy-authorization \
    proxy-connection te trailer transfer-encoding upgrade";

fn check_server_name(text: &str) -> Result<(), String> {
    let name = text.parse::<ServerName>();
    name.map(drop).map_err(|error| error.to_string())
}

fn check_argument(text: &str) -> Result<(), String> {
    if text.contains(SCHEME) {
        let message = "a reference is not allowed in a command, which other users can see; use env";
        return Err(message.to_owned());
    }
    check_env_value(text)
}

fn check_env_value(text: &str) -> Result<(), String> {
    match text.contains('\0') {
        true => Err("a NUL character is not allowed".to_owned()),
        false => Ok(()),
    }
}

fn check_directory(text: &str) -> Result<(), String> {
    let is_whole = text == "~" || text.starts_with("~/") || text.starts_with('/');
    match is_whole {
        true => check_env_value(text),
        false => Err("a directory begins with / or ~/".to_owned()),
    }
}

pub(super) fn check_variable(text: &str) -> Result<(), String> {
    let name = text.parse::<SecretName>();
    let name = name.and_then(|name| ScopeKind::Env.check(&name));
    if name.is_err() {
        let rule = ScopeKind::Env.name_rule();
        return Err(format!("invalid name of a variable: it is {rule}"));
    }
    if text.starts_with("MCPLEXER_") {
        return Err("the variables MCPLEXER_… are mcplexer's own".to_owned());
    }
    match takes_over(text) {
        Some(does) => {
            let hint = match text {
                "PATH" => "; `path: login` takes it from the login shell",
                _ => "",
            };
            Err(format!("a variable that {does} is not allowed{hint}"))
        }
        None => Ok(()),
    }
}

fn check_header(text: &str) -> Result<(), String> {
    let name = text.to_ascii_lowercase();
    if text.parse::<SecretName>().is_err() {
        let rule = ScopeKind::Header.name_rule();
        return Err(format!("invalid name of a header field: it is {rule}"));
    }
    let is_reserved = RESERVED_HEADERS.split(' ').any(|it| it == name);
    match is_reserved || name.starts_with("mcp-") {
        true => Err("mcplexer sets this header field itself".to_owned()),
        false => Ok(()),
    }
}

fn check_header_value(text: &str) -> Result<(), String> {
    match text.contains(|c: char| c.is_control() && c != '\t') {
        true => Err("a header field has one line, without control characters".to_owned()),
        false => Ok(()),
    }
}

fn check_auth_kind(text: &str) -> Result<(), String> {
    one_of(
        text,
        "type",
        &[ScopeKind::Header.as_str(), ScopeKind::OAuth2.as_str()],
    )
}

fn one_of(text: &str, what: &str, allowed: &[&str]) -> Result<(), String> {
    match allowed.contains(&text) {
        true => Ok(()),
        false => Err(format!(
            "invalid {what}: it is one of {}",
            allowed.join(", ")
        )),
    }
}

fn check_idle_stop(text: &str) -> Result<(), String> {
    match text {
        "never" => Ok(()),
        _ => check_waiting(text).map_err(|message| format!("{message}; or never")),
    }
}

fn check_waiting(text: &str) -> Result<(), String> {
    let waiting = text.parse::<Waiting>();
    waiting.map(drop).map_err(|error| error.to_string())
}

fn check_url(text: &str) -> Result<(), String> {
    let wrong = |message: &str| Err(message.to_owned());
    if text.contains(SCHEME) {
        return wrong("a reference is not allowed in a URL; use headers");
    }
    let Ok(url) = text.parse::<Uri>() else {
        return wrong("invalid URL");
    };
    let (Some(scheme), Some(authority)) = (url.scheme(), url.authority()) else {
        return wrong("invalid URL: it begins with https://");
    };
    if authority.as_str().contains('@') {
        return wrong("a URL has no user and no password; use headers");
    }
    let host = authority.host();
    if host.is_empty() || text.contains('#') {
        return wrong("a URL has a host and no fragment");
    }
    let has_port = authority.as_str().len() > host.len();
    if has_port && authority.port_u16().is_none_or(|port| port == 0) {
        return wrong("invalid URL: the port is a number from 1 to 65535");
    }
    match scheme {
        _ if *scheme == Scheme::HTTPS => Ok(()),
        _ if *scheme == Scheme::HTTP && is_this_machine(host) => Ok(()),
        _ if *scheme == Scheme::HTTP => {
            wrong("http is for this machine only (localhost, 127.0.0.1, [::1]); use https")
        }
        _ => wrong("invalid URL: it begins with https://"),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
