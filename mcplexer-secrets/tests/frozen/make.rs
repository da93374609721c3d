//! How the frozen home was created, once, in the first release's format. It is never created again;
//! a later format gets a home of its own beside it.

use std::fs;
use std::path::Path;
use std::process::Command;

use mcplexer_files::config;
use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::backup::BackupTo;
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{
    Change, NewScope, PutMode, RotateIdentity, ScopeKind, SecretEdit, SecretStore, SecretValue,
    Store,
};

use super::{AFTER_BACKUP, EXPIRES, NOTE, PASSPHRASE, all_bytes, long};

const CONFIG: &str = "\
auth_scopes:
  - id: github-token
    name: GitHub Token
    type: env
    redaction_hints: [GH_SESSION, X-GitHub-Internal]
  - id: shell
    type: env
  - id: search-api
    name: \"Suche \u{2013} \u{e4}\u{f6}\u{fc} \u{2713}\"
    type: header
    redaction_hints: [X-Session]
  - id: bare.header_1
    type: header
  - id: drive
    name: Drive
    type: oauth2
    redaction_hints: [drive_session]
    keep_versions: 1
  - id: mail
    type: oauth2
";

#[test]
#[ignore = "makes a home of the present format in the directory that MCPLEXER_FROZEN names"]
fn make() {
    let Some(directory) = std::env::var_os("MCPLEXER_FROZEN") else {
        return;
    };
    let home = Path::new(&directory);
    let log = home.join("audit.log");
    let store = Store::open(
        home.join("secrets.redb"),
        FileKeys::new(home.join("age.key")),
    )
    .unwrap()
    .with_audit_log(FileAudit::new(log.clone()));
    fs::create_dir_all(home).unwrap();
    fs::write(home.join("config.yaml"), CONFIG).unwrap();
    let config = config::parse(CONFIG.as_bytes()).unwrap();
    let scopes: Vec<NewScope> = config.scopes();
    assert!(scopes.iter().any(|it| it.kind == ScopeKind::OAuth2));
    store.init().unwrap();
    store.apply_scopes(&scopes, &[]).unwrap();
    let put = |scope: &str, name: &str, value: &[u8]| {
        let value = SecretValue::copy_of(value).unwrap();
        let (scope, name) = (scope.parse().unwrap(), name.parse().unwrap());
        store
            .put(&NewScope::env(scope), &name, &value, PutMode::Overwrite)
            .unwrap();
    };
    put("github-token", "GITHUB_PERSONAL_ACCESS_TOKEN", b"ghp_old");
    put(
        "github-token",
        "GITHUB_PERSONAL_ACCESS_TOKEN",
        b"ghp_abc123",
    );
    put(
        "github-token",
        "_lower_1",
        "p\u{e4}$$w0rd `\"'\\ \u{1f511}".as_bytes(),
    );
    put("github-token", "GONE", b"deleted");
    store
        .delete(&"github-token".parse().unwrap(), &"GONE".parse().unwrap())
        .unwrap();
    put("shell", "ALL_BYTES", &all_bytes());
    put("shell", "LONG", &long());
    put("shell", "LINES", b"-----BEGIN X-----\nline\r\n\n");
    put("shell", "ONE_BYTE", &[0]);
    put("search-api", "Authorization", b"Bearer xyz");
    put("search-api", "X-Api-Key!#$%&'*+.^_`|~", b"odd but a token");
    let value = SecretValue::copy_of(b"ya29.access").unwrap();
    let edit = SecretEdit {
        note: Change::Set(NOTE.parse().unwrap()),
        expires: Change::Set(EXPIRES.parse().unwrap()),
        rotate_every: Change::Set("90d".parse().unwrap()),
    };
    let (drive, name) = ("drive".parse().unwrap(), "ACCESS_TOKEN".parse().unwrap());
    let (drive, mode) = (NewScope::env(drive), PutMode::Overwrite);
    store.put_with(&drive, &name, &value, mode, &edit).unwrap();
    put("drive", "REFRESH_TOKEN", b"1//refresh");
    put("drive", "CLIENT_SECRET", b"GOCSPX-secret");
    put("drive", "CLIENT_SECRET", b"GOCSPX-secret-2");
    put("drive", "CLIENT_SECRET", b"GOCSPX-secret-3");
    // Generation 2, and a log that records the change.
    store.rotate(RotateIdentity::Replace, &mut |_| {}).unwrap();

    let ssh = home.join("id_ed25519");
    let made = Command::new("ssh-keygen")
        .args([
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "carol@example.org",
            "-f",
        ])
        .arg(&ssh)
        .status();
    assert!(made.unwrap().success());
    let public = fs::read_to_string(home.join("id_ed25519.pub")).unwrap();
    store.add_recipient(&public.parse().unwrap(), None).unwrap();
    // On the machine of that owner, who has another log.
    let carols = Store::open(home.join("secrets.redb"), FileKeys::new(&ssh)).unwrap();
    carols.accept(false).unwrap();
    let passphrase = SecretValue::copy_of(PASSPHRASE).unwrap();
    store
        .add_passphrase(&passphrase, Some(&"at home".parse().unwrap()))
        .unwrap();
    let code = store.add_recovery_code().unwrap();
    fs::write(home.join("recovery-code"), format!("{}\n", code.expose())).unwrap();
    for (file, to) in [
        ("backup.age", BackupTo::StoreKeys),
        ("backup-passphrase.age", BackupTo::Passphrase(&passphrase)),
    ] {
        let path = home.join(file);
        store.backup(&path, to, false, &mut |_| {}).unwrap();
    }
    put("mail", "ACCESS_TOKEN", AFTER_BACKUP);
    store.compact().unwrap();
    let _read = store.get(&"mail".parse().unwrap(), &"ACCESS_TOKEN".parse().unwrap());
}
