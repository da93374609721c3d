//! Who logs in, and to whom.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mcplexer_postgres::{Address, PostgresBackend};
use mcplexer_secrets::backend::{Backend, BackendError, BackendErrorKind, Commit, Table};

use crate::server::Server;

const PASSWORD: &str = "s3cret-of-ann";
const HBA: &[u8] =
    b"local all all trust\nhostssl all bob all cert\nhostssl all all all scram-sha-256\n";

/// Certificates of an authority of its own.
struct Authority(tempfile::TempDir);

impl Authority {
    /// `None` if there is no OpenSSL.
    fn new() -> Option<Self> {
        test_support::tool("openssl")?;
        let authority = Self(tempfile::tempdir().unwrap());
        let (key, certificate) = (authority.path("ca.key"), authority.path("ca.crt"));
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=authority",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
        Some(authority)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Issues a certificate, and returns its file and that of the key.
    fn issue(&self, name: &str, alternative: &str) -> (PathBuf, PathBuf) {
        let file = |extension: &str| self.path(&format!("{name}.{extension}"));
        let (key, request, certificate, extensions) =
            (file("key"), file("csr"), file("crt"), file("ext"));
        fs::write(&extensions, format!("subjectAltName={alternative}\n")).unwrap();
        openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            &format!("/CN={name}"),
            "-keyout",
            &key,
            "-out",
            &request,
        ]);
        openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &self.path("ca.crt"),
            "-CAkey",
            &self.path("ca.key"),
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            &extensions,
            "-out",
            &certificate,
        ]);
        (certificate.into(), key.into())
    }
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

/// A server that proves who it is, with a user that has a password and one that has a certificate.
fn server(authority: &Authority) -> Option<Server> {
    let (certificate, key) = authority.issue("server", "DNS:localhost");
    let mut server = Server::new(&[
        "fsync=off",
        "ssl=on",
        "ssl_cert_file=server.crt",
        "ssl_key_file=server.key",
        "ssl_ca_file=ca.crt",
    ])?;
    server.give("server.crt", &fs::read(certificate).unwrap());
    server.give("server.key", &fs::read(key).unwrap());
    server.give("ca.crt", &fs::read(authority.path("ca.crt")).unwrap());
    server.give("pg_hba.conf", HBA);
    server.begin();
    server.sql(&format!(
        "CREATE ROLE ann LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE bob LOGIN; GRANT CREATE ON DATABASE postgres TO ann, bob"
    ));
    Some(server)
}

fn write(address: Address) -> Result<(), BackendError> {
    let backend = PostgresBackend::new(address)?;
    let shown = format!("{backend:?}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    let mut transaction = backend.write()?;
    transaction.put(Table::Meta, b"k", b"record")?;
    assert!(matches!(transaction.commit()?, Commit::Applied));
    Ok(())
}

fn address(server: &Server, user: &str, host: &str, roots: &str, options: &str) -> Address {
    let port = server.port();
    let url = format!(
        "postgres://{user}@{host}:{port}/postgres?schema={user}&sslmode=verify-full&sslrootcert={roots}{options}"
    );
    url.parse().unwrap()
}

/// The error, with its causes. It never has the password in it.
fn refused(address: Address) -> (BackendErrorKind, String) {
    let error = write(address).unwrap_err();
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!("; {cause} {cause:?}"));
        source = cause.source();
    }
    assert!(!text.contains("s3cret"), "{text}");
    (error.kind(), text)
}

#[test]
fn a_server_proves_who_it_is_and_a_user_too() {
    let (Some(authority), Some(other)) = (Authority::new(), Authority::new()) else {
        return;
    };
    let Some(server) = server(&authority) else {
        return;
    };
    let (roots, others) = (authority.path("ca.crt"), other.path("ca.crt"));
    let ann = |host: &str, roots: &str| address(&server, "ann", host, roots, "");

    write(ann("localhost", &roots).with_password(PASSWORD)).unwrap();
    let file = authority.path("password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let from_file = format!("&passwordfile={file}");
    write(address(&server, "ann", "localhost", &roots, &from_file)).unwrap();

    let (kind, text) = refused(ann("localhost", &roots).with_password("s3cret-but-wrong"));
    assert_eq!(kind, BackendErrorKind::Denied, "{text}");
    assert!(text.contains("password authentication failed"), "{text}");
    // Another authority, and a name that the certificate does not have.
    for (host, roots) in [("localhost", &others), ("127.0.0.1", &roots)] {
        let (kind, text) = refused(ann(host, roots).with_password(PASSWORD));
        assert_eq!(kind, BackendErrorKind::Other, "{text}");
        assert!(text.contains("invalid peer certificate"), "{text}");
    }

    let (certificate, key) = authority.issue("bob", "DNS:bob");
    let bobs = |certificate: &Path, key: &Path| {
        let options = format!(
            "&sslcert={}&sslkey={}",
            certificate.display(),
            key.display()
        );
        address(&server, "bob", "localhost", &roots, &options)
    };
    write(bobs(&certificate, &key)).unwrap();
    let (kind, text) = refused(address(&server, "bob", "localhost", &roots, ""));
    assert_eq!(kind, BackendErrorKind::Denied, "{text}");
    let (kind, text) = refused(bobs(&certificate, Path::new(&roots)));
    assert_eq!(kind, BackendErrorKind::Invalid, "{text}");
    assert!(text.contains("no private key"), "{text}");
}

#[test]
fn a_server_without_tls_is_not_trusted_over_the_network() {
    let Some(server) = crate::server::shared() else {
        return;
    };
    let url = format!(
        "postgres://postgres@localhost:{}/postgres?sslmode=verify-full",
        server.port()
    );
    let backend = PostgresBackend::new(url.parse().unwrap()).unwrap();
    let error = backend.read().map(drop).unwrap_err();
    assert_eq!(error.kind(), BackendErrorKind::Other, "{error:?}");
}

#[test]
fn a_socket_of_this_machine_is_a_way_to_the_server() {
    let Some(server) = crate::server::shared() else {
        return;
    };
    let directory = server.directory().display().to_string().replace('/', "%2F");
    let port = server.port();
    let url = format!("postgres://postgres@{directory}:{port}/postgres?schema=by_socket");
    write(url.parse().unwrap()).unwrap();
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let port = test_support::free_port();
    let url = format!("postgres://ann:{PASSWORD}@127.0.0.1:{port}/team");
    let (kind, text) = refused(url.parse().unwrap());
    assert_eq!(kind, BackendErrorKind::Unreachable, "{text}");
    assert!(
        text.contains(&format!("postgres://ann@127.0.0.1:{port}/team")),
        "{text}"
    );
}
