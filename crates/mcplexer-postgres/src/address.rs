//! Where the database is, and how to log in.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::cause::Cause;
use crate::password::{Login, Source};
use crate::place::Place;
use crate::tls::{Files, Tls};

/// The schema of a store.
const SCHEMA: &str = "mcplexer";
/// What may be said after the `?`.
const OPTIONS: [&str; 8] = [
    "schema",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "passwordfile",
    "passfile",
    "connect_timeout",
];
/// What else the driver knows.
const OF_DRIVER: [&str; 17] = [
    "application_name",
    "channel_binding",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];
/// The longest name that PostgreSQL keeps whole.
const MAX_SCHEMA_LEN: usize = 63;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it takes at most to find out that all servers but the last one are gone: a reader that has a copy of the
/// store waits for five seconds.
const FAILOVER: Duration = Duration::from_secs(4);
/// How long data may stay unacknowledged.
const TCP_TIMEOUT: Duration = Duration::from_secs(30);
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The address of a database: `postgres://USER@HOST:PORT/DATABASE?OPTIONS`.
///
/// Several servers, of which one accepts writes, are separated by commas: `postgres://ann@a:5432,b:5432/team`. The one
/// that accepts writes is found. Besides the options of PostgreSQL's own programs there is:
///
/// * `schema`: the schema of the store; `mcplexer` by default.
/// * `sslmode`: `verify-full` or `disable`. The default is `verify-full`, and `disable` if every server is on this
///   machine.
/// * `sslrootcert`: a file of certificates to trust, instead of those of the system.
/// * `sslcert` and `sslkey`: files with the certificate and the private key of this program.
/// * `passwordfile`: a file whose first line is the password.
/// * `passfile`: a file of passwords for several databases, as `psql` reads it.
/// * `connect_timeout`: how many seconds each server has to answer; at least one.
///
/// The path of a file begins with `/`, or with `~/` if [`with_environment`](Self::with_environment) says what that is.
///
/// `Debug` and `Display` show everything but the password.
#[derive(Clone)]
pub struct Address {
    config: Config,
    schema: String,
    is_encrypted: bool,
    files: Files,
    password: Option<Source>,
}

/// An address that cannot be used. Says why, without the address: it may have a password in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAddress {
    /// It does not begin with `postgres://`.
    #[error("an address of a database begins with postgres://")]
    NoScheme,
    /// A part of it cannot be read, such as the port.
    #[error("{0}")]
    Invalid(String),
    /// There is no such option.
    #[error("there is no option {0:?}; the options are {known}, and those of libpq such as application_name", known = OPTIONS.join(", "))]
    Option(String),
    /// It names no server.
    #[error("the address names no server; write postgres://USER@HOST/DATABASE")]
    NoHost,
    /// The schema is not one that can be written without quotes.
    #[error("schema={0} is invalid: use up to 63 of a-z, 0-9 and _, beginning with a letter")]
    Schema(String),
    /// The path of a file depends on the working directory.
    #[error("{option}={path} is not a whole path; begin it with / or ~/")]
    Relative {
        /// The option.
        option: &'static str,
        /// The path.
        path: String,
    },
    /// A certificate without its key, or a key without its certificate.
    #[error("sslcert=FILE and sslkey=FILE belong together")]
    HalfAClient,
    /// Servers would have no time to answer, or all of it.
    #[error("connect_timeout={0} is not a number of seconds from 1")]
    Timeout(String),
    /// This way to encrypt does not say who answers.
    #[error(
        "sslmode={0} does not check who answers; use verify-full, with sslrootcert=FILE if your own authority certifies the server"
    )]
    SslMode(String),
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(url: &str) -> Result<Self, InvalidAddress> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(InvalidAddress::NoScheme);
        }
        let (place, options) = url.split_once('?').unwrap_or((url, ""));
        let mut schema = SCHEMA.to_owned();
        let (mut mode, mut files, mut password) = (None, Files::default(), None);
        let (mut certificate, mut key) = (None, None);
        let mut others = Vec::new();
        for option in options.split('&').filter(|it| !it.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "schema" => schema = value,
                "sslmode" => mode = Some(value),
                "sslrootcert" => files.roots = Some(path("sslrootcert", value)?),
                "sslcert" => certificate = Some(path("sslcert", value)?),
                "sslkey" => key = Some(path("sslkey", value)?),
                "passwordfile" => password = Some(Source::File(path("passwordfile", value)?)),
                "passfile" => password = Some(Source::List(path("passfile", value)?)),
                "connect_timeout" => match value.parse::<u16>() {
                    Ok(1..) => others.push(option),
                    _ => return Err(InvalidAddress::Timeout(value)),
                },
                name if OF_DRIVER.contains(&name) => others.push(option),
                name => return Err(InvalidAddress::Option(name.to_owned())),
            }
        }
        files.client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(InvalidAddress::HalfAClient),
        };
        let mut config: Config = match &*others.join("&") {
            "" => place.parse().map_err(|error| invalid(&error))?,
            options => format!("{place}?{options}")
                .parse()
                .map_err(|error| invalid(&error))?,
        };
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(InvalidAddress::NoHost);
        }
        if !is_plain_name(&schema) {
            return Err(InvalidAddress::Schema(schema));
        }
        let is_encrypted = match mode.as_deref() {
            None => !is_on_this_machine(&config),
            Some("verify-full") => true,
            Some("disable") => false,
            Some(other) => return Err(InvalidAddress::SslMode(other.to_owned())),
        };
        config.ssl_mode(match is_encrypted {
            true => SslMode::Require,
            false => SslMode::Disable,
        });
        // Another server may be behind, and a state that is read is the last one.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("mcplexer");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(connect_timeout(&config));
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(TCP_TIMEOUT);
        }
        if !options.contains("keepalives") {
            config.keepalives_idle(KEEPALIVE);
        }
        Ok(Self {
            config,
            schema,
            is_encrypted,
            files,
            password,
        })
    }
}

impl Address {
    /// Logs in with this password.
    #[must_use]
    pub fn with_password(mut self, password: impl AsRef<[u8]>) -> Self {
        self.config.password(password);
        self
    }

    /// The schema of the store.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Sets what every session of this program begins with.
    pub(crate) fn set_options(&mut self, options: &str) {
        let options = match self.config.get_options() {
            Some(own) => format!("{options} {own}"),
            None => options.to_owned(),
        };
        self.config.options(options);
    }

    /// Takes the password from where PostgreSQL's own programs have it, unless the address has one: from `PGPASSWORD`,
    /// from the file that `PGPASSFILE` names, or from `~/.pgpass`, which is ignored if others can read it. `variable`
    /// returns the value of a variable; `HOME` is what `~` stands for, in the options as well.
    #[must_use]
    pub fn with_environment(mut self, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        if let Some(home) = variable("HOME").filter(|it| !it.is_empty()) {
            let home = PathBuf::from(home);
            self.files.expand(&home);
            self.password.iter_mut().for_each(|it| it.expand(&home));
        }
        if self.config.get_password().is_some() || self.password.is_some() {
            return self;
        }
        match variable("PGPASSWORD").filter(|it| !it.is_empty()) {
            Some(password) => self.with_password(password.as_encoded_bytes()),
            None => {
                self.password = Source::of_environment(variable);
                self
            }
        }
    }

    /// Where the store is, and who asks for it, for messages.
    pub(crate) fn place(&self) -> Place {
        let role = self.config.get_user().unwrap_or_default();
        Place {
            address: self.to_string(),
            role: role.to_owned(),
            database: self.config.get_dbname().unwrap_or(role).to_owned(),
            schema: self.schema.clone(),
        }
    }

    /// Reads the password, if it is in a file.
    pub(crate) fn read_password(&mut self) -> Result<(), Cause> {
        let Some(source) = &self.password else {
            return Ok(());
        };
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name,
            _ => "localhost",
        };
        let port = self.config.get_ports().first().map_or(5432, |port| *port);
        let user = self.config.get_user().unwrap_or_default();
        let password = source.read(&Login {
            host,
            port: &port.to_string(),
            database: self.config.get_dbname().unwrap_or(user),
            user,
        })?;
        if let Some(password) = password {
            self.config.password(&*password);
        }
        Ok(())
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn tls(&self) -> Result<Tls, Cause> {
        match self.is_encrypted {
            true => Ok(Tls::verified(&self.files)?),
            false => {
                self.files.check()?;
                Ok(Tls::None)
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        let ports = self.config.get_ports();
        for (number, host) in self.config.get_hosts().iter().enumerate() {
            if number > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(path) => write!(f, "{}", path.display())?,
            }
            if let Some(port) = ports.get(number).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        if let Some(database) = self.config.get_dbname() {
            write!(f, "/{database}")?;
        }
        if self.schema != SCHEMA {
            write!(f, "?schema={}", self.schema)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// A path that is the same from each directory.
fn path(option: &'static str, path: String) -> Result<PathBuf, InvalidAddress> {
    match path.starts_with('/') || path.starts_with("~/") {
        true => Ok(path.into()),
        false => Err(InvalidAddress::Relative { option, path }),
    }
}

/// Says what the driver cannot read, without its value.
fn invalid(error: &tokio_postgres::Error) -> InvalidAddress {
    let cause = std::error::Error::source(error);
    InvalidAddress::Invalid(cause.map_or_else(|| error.to_string(), ToString::to_string))
}

/// How long to wait for each of the servers.
fn connect_timeout(config: &Config) -> Duration {
    let servers = config.get_hosts().len().max(config.get_hostaddrs().len());
    let others = u32::try_from(servers.saturating_sub(1)).unwrap_or(u32::MAX);
    FAILOVER.checked_div(others).unwrap_or(CONNECT_TIMEOUT)
}

fn is_plain_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= MAX_SCHEMA_LEN
        && bytes.next().is_some_and(|it| it.is_ascii_lowercase())
        && bytes.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_')
}

/// Whether nobody else can listen or answer.
fn is_on_this_machine(config: &Config) -> bool {
    let is_local = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|it: IpAddr| it.is_loopback())
        }
    };
    config.get_hosts().iter().all(is_local)
        && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Address {
        url.parse().unwrap()
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_in_a_sentence() {
        for (url, said) in [
            (
                "postgres://ann@h/team?foo=bar",
                "there is no option \"foo\"; the options are schema, sslmode, sslrootcert, sslcert, sslkey, passwordfile, \
                 passfile, connect_timeout, and those of libpq such as application_name",
            ),
            (
                "postgres://ann@h:99999/team",
                "invalid value for option `port`",
            ),
            (
                "postgres://ann@h/team?sslmode=prefer",
                "sslmode=prefer does not check who answers; use verify-full, with sslrootcert=FILE if your own authority \
                 certifies the server",
            ),
        ] {
            let error = url.parse::<Address>().unwrap_err();
            assert_eq!(error.to_string(), said);
            assert!(std::error::Error::source(&error).is_none(), "{url}");
        }
        for option in OF_DRIVER.into_iter().filter(|it| *it != "password") {
            let url = format!("postgres://ann@h/team?{option}=1");
            let parsed = url.parse::<Address>();
            assert!(!matches!(parsed, Err(InvalidAddress::Option(_))), "{url}");
        }
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address = parse("postgres://ann:s3cret@db.example.org:5433/team?schema=ops");
        let shown = "postgres://ann@db.example.org:5433/team?schema=ops";
        assert_eq!(address.to_string(), shown);
        let address = address.with_password("s3cret");
        assert_eq!(format!("{address:?}"), format!("Address({shown})"));
        for wrong in [
            "postgres://ann:s3cret@h/d?x=1",
            "postgres://ann:s3cret@h:port/d",
        ] {
            let error = wrong.parse::<Address>().unwrap_err();
            assert!(
                !format!("{error:?} {error}").contains("s3cret"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn only_a_server_on_this_machine_need_not_prove_who_it_is() {
        for (url, is_encrypted) in [
            ("postgres://ann@db.example.org/team", true),
            ("postgres://ann@localhost/team", false),
            ("postgres://ann@127.0.0.1:5433/team", false),
            ("postgres://ann@%2Frun%2Fpostgresql/team", false),
            ("postgres://ann@localhost,db.example.org/team", true),
            ("postgres://ann@localhost/team?hostaddr=192.0.2.1", true),
            ("postgres://ann@localhost/team?sslmode=verify-full", true),
            ("postgres://ann@db.example.org/team?sslmode=disable", false),
        ] {
            assert_eq!(parse(url).is_encrypted, is_encrypted, "{url}");
        }
        for mode in ["require", "prefer", "verify-ca", ""] {
            let url = format!("postgres://ann@h/team?sslmode={mode}");
            let refused = url.parse::<Address>();
            assert!(matches!(refused, Err(InvalidAddress::SslMode(_))), "{mode}");
        }
    }

    #[test]
    fn the_environment_has_the_password_if_the_address_has_none() {
        let variables = |names: &'static [&'static str]| {
            move |name: &str| names.contains(&name).then(|| OsString::from("s3cret"))
        };
        let address = parse("postgres://ann@h/team").with_environment(variables(&["PGPASSWORD"]));
        assert_eq!(address.config.get_password(), Some(b"s3cret".as_slice()));
        assert!(!format!("{address:?}").contains("s3cret"));
        let own = parse("postgres://ann:own@h/team").with_environment(variables(&["PGPASSWORD"]));
        assert_eq!(own.config.get_password(), Some(b"own".as_slice()));
        let listed = parse("postgres://ann@h/team").with_environment(variables(&["PGPASSFILE"]));
        assert_eq!(listed.password, Some(Source::List("s3cret".into())));
        let file = parse("postgres://ann@h/team?passwordfile=/f")
            .with_environment(variables(&["PGPASSWORD"]));
        assert_eq!(file.password, Some(Source::File("/f".into())));
        let at_home = parse("postgres://ann@h/team").with_environment(variables(&["HOME"]));
        let expected = Source::OfHome("s3cret/.pgpass".into());
        assert_eq!(at_home.password, Some(expected));
    }

    #[test]
    fn the_path_of_a_file_is_whole() {
        let home = |name: &str| (name == "HOME").then(|| OsString::from("/home/ann"));
        let all = "passwordfile=~/p&sslrootcert=~/r&sslcert=~/c&sslkey=/k";
        let address = parse(&format!("postgres://ann@h/team?{all}")).with_environment(home);
        assert_eq!(address.password, Some(Source::File("/home/ann/p".into())));
        let expected = Files {
            roots: Some("/home/ann/r".into()),
            client: Some(("/home/ann/c".into(), "/k".into())),
        };
        assert_eq!(address.files, expected);
        for option in [
            "sslrootcert",
            "sslcert",
            "sslkey",
            "passwordfile",
            "passfile",
        ] {
            for path in ["", "f", "./f", "../f", "~", "~bob/f"] {
                let url = format!("postgres://ann@h/team?{option}={path}");
                let refused = url.parse::<Address>();
                assert!(
                    matches!(refused, Err(InvalidAddress::Relative { .. })),
                    "{url}"
                );
            }
        }
    }

    #[test]
    fn files_of_tls_are_checked_where_they_are_not_used_as_well() {
        for host in ["db.example.org", "localhost"] {
            for half in ["sslcert=/c", "sslkey=/k"] {
                let url = format!("postgres://ann@{host}/team?{half}");
                let refused = url.parse::<Address>();
                assert!(matches!(refused, Err(InvalidAddress::HalfAClient)), "{url}");
            }
            for missing in [
                "sslrootcert=/nowhere/c",
                "sslcert=/nowhere/c&sslkey=/nowhere/k",
            ] {
                let address = parse(&format!("postgres://ann@{host}/team?{missing}"));
                assert!(matches!(address.tls(), Err(Cause::Tls(_))), "{address}");
            }
        }
    }

    #[test]
    fn each_server_has_some_time_to_answer() {
        for wrong in ["0", "", "-1", "1s", "65536"] {
            let url = format!("postgres://ann@h/team?connect_timeout={wrong}");
            let refused = url.parse::<Address>();
            assert!(matches!(refused, Err(InvalidAddress::Timeout(_))), "{url}");
        }
    }

    #[test]
    fn the_last_of_several_servers_is_asked_in_time() {
        for (url, seconds) in [
            ("postgres://ann@a/team", 10),
            ("postgres://ann@a,b/team", 4),
            ("postgres://ann@a,b,c/team", 2),
            ("postgres://ann@a,b,c/team?connect_timeout=7", 7),
        ] {
            let timeout = parse(url).config.get_connect_timeout().copied();
            assert_eq!(timeout, Some(Duration::from_secs(seconds)), "{url}");
        }
    }

    #[test]
    fn a_schema_needs_no_quotes() {
        for schema in ["", "Ops", "o-s", "1a", "a\"b", &"a".repeat(64)] {
            let url = format!("postgres://ann@h/team?schema={schema}");
            let refused = url.parse::<Address>();
            assert!(
                matches!(refused, Err(InvalidAddress::Schema(_))),
                "{schema}"
            );
        }
        assert_eq!(parse("postgres://ann@h/team").schema(), "mcplexer");
    }
}
