//! A value in the place of a name.

use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{NewScope, PutMode, SecretStore, SecretValue, Store};

use super::*;

const TOKEN: &str = "ghp_Zq8Rt2Yw5Lk9Xc3Vb7Nm1Qp4Sd6Fg0Hj3KlM";
/// The beginnings are those of services; scopes have no capitals.
const IN_SCOPE: &str = "sk-proj-zq8rt2yw5lk9xc3vb7nm1qp4sd6fg0hj3klm";

/// `V` is in the place of a secret's name, and `W` in that of a scope.
const NAMING: &[&str] = &[
    "put s V",
    "put s V value",
    "put W KEY value",
    "put s/V value",
    "generate s V",
    "get s V",
    "get s KEY V --json",
    "edit s V --note n",
    "history s V",
    "restore s V --version 1",
    "list W",
    "copy s/KEY s/V",
    "copy s/V s/KEY",
    "copy s/KEY W/KEY",
    "move s/KEY s/V",
    "rename s KEY V",
    "rename s V KEY",
    "delete s V",
    "delete s KEY V",
];
const OTHERS: &[&str] = &[
    "scope create W",
    "scope show W",
    "scope rename s W",
    "scope delete W",
    "run --scope W -- true",
    "run --scope s --only V -- true",
    "run --scope s --rename V=NAME -- true",
    "export W",
    "export s --only V",
    "import W -",
    "server add x --scope W -- true",
];

/// Names are in the clear in the store and in the log.
#[test]
fn a_value_in_the_place_of_a_name_is_refused_before_it_is_recorded() {
    let home = Home::new();
    home.run(["secret", "put", "s", "KEY", "v"]).succeeded();
    let before = fs::read(home.path("audit.log")).unwrap();
    let naming = NAMING.iter().map(|it| format!("secret {it}"));
    for line in naming.chain(OTHERS.iter().map(|it| (*it).to_owned())) {
        let words = line.split(' ');
        let words = words.map(|it| match it {
            "V=NAME" => format!("{TOKEN}=NAME"),
            it if it == "V" || it.ends_with("/V") => it.replace('V', TOKEN),
            it if it.starts_with('W') => it.replace('W', IN_SCOPE),
            it => it.to_owned(),
        });
        let run = home.run(words.collect::<Vec<_>>());
        let run = run.failed(2, &["looks like a value", "asks for the value"]);
        for value in [TOKEN, IN_SCOPE] {
            assert!(!run.stderr.contains(&value[8..]), "{line}: {}", run.stderr);
        }
    }
    let file = format!("A=b\n{TOKEN}=x\n");
    home.pipe(["import", "s", "--format", "dotenv"], file.as_bytes())
        .failed(2, &["standard input: ", "looks like a value"]);
    assert!(fs::read(home.path("audit.log")).unwrap() == before);
    assert_eq!(home.run(["secret", "list", "s"]).text(), "KEY\n");
}

/// What an earlier version has accepted can be read and deleted.
#[test]
fn a_name_that_the_store_has_is_accepted() {
    let home = Home::with_secret("v");
    let scope = NewScope::env("github-token".parse().unwrap());
    let keys = FileKeys::new(home.path("age.key"));
    let store = Store::open(home.path("secrets.redb"), keys).unwrap();
    let value = SecretValue::copy_of(b"v").unwrap();
    let name = TOKEN.parse().unwrap();
    store.put(&scope, &name, &value, PutMode::Create).unwrap();
    drop(store);
    home.run(["secret", "get", "github-token", TOKEN])
        .succeeded();
    home.run(["secret", "delete", "github-token", TOKEN])
        .succeeded();
    home.run(["secret", "get", "github-token", TOKEN])
        .failed(2, &["looks like a value"]);
}

#[test]
fn ordinary_names_are_accepted() {
    let home = Home::with_secret("v");
    for (scope, key) in [
        ("github-token", "GITHUB_PERSONAL_ACCESS_TOKEN"),
        (
            "azure",
            "AZURE_APPLICATION_CLIENT_SECRET_FOR_PRODUCTION_EUROPE_WEST_2",
        ),
        ("aws-eu-central-1", "AWS_SECRET_ACCESS_KEY"),
        (
            "550e8400-e29b-41d4-a716-446655440000",
            "NEXT_PUBLIC_SUPABASE_ANON_KEY",
        ),
        (
            "team.billing.stripe_live",
            "STRIPE_WEBHOOK_SIGNING_SECRET_V2",
        ),
        (
            "mcp-server-postgres-production",
            "MODELCONTEXTPROTOCOL_POSTGRES_CONNECTION_STRING",
        ),
        ("a1b2c3d4e5f6", "SENTRY_DSN_3F2504E04F89"),
        ("x", "GOOGLE_APPLICATION_CREDENTIALS_JSON_BASE64"),
        ("slack-xoxb", "SLACK_BOT_TOKEN_XOXB"),
        ("sk", "sk_live"),
        (
            "openai",
            "OpenAiApiKeyForTheEmbeddingsServiceOfTheSearchTeam",
        ),
        ("db-2024-11-24-backup-before-migration", "PGPASSWORD"),
        (
            "kubernetes",
            "KUBERNETES_SERVICE_ACCOUNT_TOKEN_STAGING_CLUSTER_07",
        ),
        ("jwt", "JWT_RS256_PRIVATE_KEY_PEM"),
        ("oauth2", "OAUTH2_PROXY_COOKIE_SECRET_AES256GCM"),
    ] {
        home.run(["secret", "put", scope, key, "v"]).succeeded();
    }
}
