//! Users with passwords, and certificates.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use mcplexer_etcd::{Address, EtcdBackend, Password};
use mcplexer_secrets::backend::{Backend, BackendError, BackendErrorKind, Commit, Table};
use test_support::tool;

use crate::cluster::{Cluster, Setup};

const PASSWORD: &str = "correct-horse";
const WRONG: &str = "wrong-horse";

fn open(address: &str, password: Option<&str>) -> EtcdBackend {
    let address: Address = address.parse().unwrap();
    let password = password.map(|it| Password::new(it.to_owned()));
    EtcdBackend::new(address, password.as_ref()).unwrap()
}

fn put(backend: &EtcdBackend, key: &[u8]) -> Result<(), BackendError> {
    let mut transaction = backend.write()?;
    transaction.put(Table::Secrets, key, b"record")?;
    assert!(matches!(transaction.commit()?, Commit::Applied));
    Ok(())
}

/// Everything that an error says, also where it is printed for a developer.
fn said(error: &BackendError) -> String {
    let mut said = format!("{error:?}");
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        said = format!("{said}\n{error}");
        next = error.source();
    }
    said
}

#[test]
fn a_user_of_etcd_needs_the_password_which_is_never_said() {
    let Some(mut cluster) = Cluster::start(1) else {
        return;
    };
    let login = format!("team:{PASSWORD}");
    for command in [
        &["user", "add", "root:root"][..],
        &["user", "grant-role", "root", "root"],
        &["role", "add", "team"],
        &[
            "role",
            "grant-permission",
            "team",
            "--prefix=true",
            "readwrite",
            "team/",
        ],
        &["user", "add", &login],
        &["user", "grant-role", "team", "team"],
        &["auth", "enable"],
    ] {
        cluster.control(command).unwrap();
    }
    cluster.log_in("root:root");
    let address =
        |prefix: &str| format!("etcd://{}/{prefix}?tls=off&user=team", cluster.endpoints());
    let backend = open(&address("team"), Some(PASSWORD));
    for key in [b"a", b"b"] {
        put(&backend, key).unwrap();
    }
    let mut transaction = backend.write().unwrap();
    transaction.delete(Table::Secrets, b"a").unwrap();
    assert!(matches!(transaction.commit().unwrap(), Commit::Applied));
    let now = backend.read().unwrap().unwrap();
    assert!(now.get(Table::Secrets, b"a").unwrap().is_none());
    assert!(now.get(Table::Secrets, b"b").unwrap().is_some());
    backend.check().unwrap();
    assert!(!format!("{backend:?}").contains(PASSWORD));

    let elsewhere = open(&address("others"), Some(PASSWORD));
    let wrong = open(&address("team"), Some(WRONG));
    let anonymous = open(&address("team").replace("&user=team", ""), None);
    for (backend, why, advice) in [
        (
            elsewhere,
            "permission denied",
            Some("etcdctl role grant-permission"),
        ),
        (wrong, "authentication failed", None),
        (anonymous, "user name is empty", Some("add user=NAME")),
    ] {
        let failed = [
            backend.read().map(drop).unwrap_err(),
            put(&backend, b"c").unwrap_err(),
        ];
        for error in failed {
            let said = said(&error);
            assert!(said.contains(why), "{said}");
            assert_eq!(error.kind(), BackendErrorKind::Denied, "{said}");
            let is_as_expected = match advice {
                Some(advice) => error.advice().is_some_and(|it| it.contains(advice)),
                None => error.advice().is_none(),
            };
            assert!(is_as_expected, "{:?}", error.advice());
            assert!(!said.contains(PASSWORD) && !said.contains(WRONG), "{said}");
        }
    }
}

/// Makes a certificate, and its key.
fn certify(directory: &Path, name: &str, by: Option<&str>) {
    let config = directory.join("config");
    let sections = "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n\
        [leaf]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName=IP:127.0.0.1\n";
    std::fs::write(&config, sections).unwrap();
    let file = |name: &str, what: &str| directory.join(format!("{name}.{what}"));
    let mut command = Command::new("openssl");
    command
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args([
            "-nodes",
            "-days",
            "2",
            "-subj",
            &format!("/CN={name}"),
            "-config",
        ])
        .arg(config)
        .args(["-extensions", if by.is_some() { "leaf" } else { "ca" }])
        .arg("-keyout")
        .arg(file(name, "key"))
        .arg("-out")
        .arg(file(name, "pem"));
    if let Some(by) = by {
        command
            .arg("-CA")
            .arg(file(by, "pem"))
            .arg("-CAkey")
            .arg(file(by, "key"));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_cluster_and_its_clients_have_certificates() {
    if tool("openssl").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).display().to_string();
    for (name, by) in [
        ("ca", None),
        ("node", Some("ca")),
        ("me", Some("ca")),
        ("other", None),
    ] {
        certify(directory.path(), name, by);
    }
    let (ca, me, key) = (file("ca.pem"), file("me.pem"), file("me.key"));
    let setup = Setup {
        scheme: "https",
        arguments: vec![
            format!("--cert-file={}", file("node.pem")),
            format!("--key-file={}", file("node.key")),
            format!("--trusted-ca-file={ca}"),
            "--client-cert-auth".into(),
        ],
        control: vec![
            format!("--cacert={ca}"),
            format!("--cert={me}"),
            format!("--key={key}"),
        ],
    };
    let Some(cluster) = Cluster::start_as(1, &setup) else {
        return;
    };
    let address = |options: &str| format!("etcd://{}/team?{options}", cluster.endpoints());
    let own = address(&format!("cacert={ca}&cert={me}&key={key}"));
    put(&open(&own, None), b"a").unwrap();
    // Neither side trusts what somebody else has certified.
    let other = address(&format!("cacert={}&cert={me}&key={key}", file("other.pem")));
    let without = address(&format!("cacert={ca}"));
    for (address, why) in [(other, "UnknownIssuer"), (without, "alert")] {
        let error = put(&open(&address, None), b"b").unwrap_err();
        assert_eq!(error.kind(), BackendErrorKind::Other);
        let reason = error.source().unwrap().to_string();
        assert!(reason.contains(why), "{reason}");
    }
}

#[test]
fn a_cluster_that_is_away_is_unreachable() {
    let nobody = open("etcd://127.0.0.1:1,127.0.0.1:2?tls=off", None);
    let error = nobody.read().map(drop).unwrap_err();
    assert_eq!(error.kind(), BackendErrorKind::Unreachable);
    let reason = error.source().unwrap().to_string();
    assert!(reason.contains("Connection refused"), "{reason}");
}
