//! What looks like a credential, and what does not.

#![cfg(test)]

use mcplexer_detect::{Reason, credential, find, find_any, in_words};
use proptest::prelude::*;

mod ordinary;
mod tokens;

use ordinary::ORDINARY;
use tokens::{TOKENS, random_text, token};

#[test]
fn every_known_token_is_found_by_itself_after_bearer_and_in_an_argument() {
    assert!(TOKENS.len() >= 75);
    for (kind, form) in TOKENS {
        // Several of each, since some shapes require randomness.
        for seed in 1..=8 {
            let token = token(form, seed);
            let shown = |reason: Option<Reason>| reason.map(|it| it.to_string());
            let is = Some((*kind).to_owned());
            assert_eq!(shown(credential("VALUE", &token, &[])), is, "{token}");
            let bearer = format!("Bearer {token}");
            assert_eq!(shown(credential("VALUE", &bearer, &[])), is, "{token}");
            let argument = format!("--flag={token} and more");
            let (place, reason) = find(&argument).unwrap_or_else(|| panic!("{token}"));
            assert_eq!(
                (&argument[place], reason.to_string()),
                (token.as_str(), (*kind).to_owned())
            );
            for text in [format!("{{\"a\": \"{token}\"}}"), format!("It is {token}.")] {
                let place = find(&text).unwrap_or_else(|| panic!("{text}")).0;
                assert_eq!(&text[place], token);
            }
        }
    }
}

#[test]
fn display_and_debug_of_a_reason_show_none_of_the_value() {
    for (_, form) in TOKENS {
        let token = token(form, 3);
        let reason = credential("VALUE", &token, &[]).unwrap();
        let shown = format!("{reason} {reason:?}");
        let Reason::Shape { prefix, .. } = reason else {
            panic!("{shown}")
        };
        // The last line of a private key repeats its first.
        let body = token.strip_prefix(prefix).unwrap();
        let body = body.split("-----END").next().unwrap();
        let mut windows = body.as_bytes().windows(6);
        let shows = |it: &[u8]| shown.contains(std::str::from_utf8(it).unwrap());
        assert!(!windows.any(shows), "{shown}");
    }
    let others = [Reason::Url, Reason::Name, Reason::Random].map(|it| it.to_string());
    assert_eq!(others, ["a password in a URL", "by name", "looks random"]);
}

#[test]
fn ordinary_values_raise_no_alarm() {
    assert!(ORDINARY.len() >= 75);
    for (name, value) in ORDINARY {
        assert_eq!(credential(name, value, &[]), None, "{name}={value}");
        assert_eq!(find(value), None, "{value}");
        assert_eq!(find(&format!("--{name}={value}")), None, "{value}");
    }
}

#[test]
fn names_of_credentials_make_any_value_a_credential() {
    for name in "\
        TOKEN GITHUB_TOKEN GITHUB_PERSONAL_ACCESS_TOKEN githubToken github-token \
        --auth-token TOKEN_2 SLACK_TOKEN_PROD AUTHTOKEN authToken CLIENT_SECRET clientSecret \
        SECRET PASSWORD PGPASSWORD DB_PASSWD MYSQL_PWD sshpass SMTP_PASS PASSPHRASE API_KEY \
        APIKEY apiKey X-Api-Key x-goog-api-key BRAVE_API_KEY DD_APP_KEY \
        AWS_SECRET_ACCESS_KEY SECRET_KEY ENCRYPTION_KEY PRIVATE_KEY SIGNING_KEY \
        AUTHORIZATION Proxy-Authorization Cookie Set-Cookie CREDENTIALS GITLAB_PAT \
        SERVICE_ROLE_KEY OPENAIApiKey LICENSE_KEY"
        .split_whitespace()
    {
        assert_eq!(
            credential(name, "swordfish-7", &[]),
            Some(Reason::Name),
            "{name}"
        );
    }
}

#[test]
fn other_names_do_not() {
    for name in "\
        AWS_ACCESS_KEY_ID PUBLIC_KEY STRIPE_PUBLISHABLE_KEY TOKEN_FILE SECRET_PATH TOKEN_URL \
        PASSWORD_HOST SECRET_NAME API_KEY_NAME TOKEN_TYPE PATH USER COMPASS BYPASS MONKEY \
        MAX_TOKENS PATTERN PATCH TOKENIZER KEYS_DIR SORT_KEY SECRETARY AUTHOR DESCRIPTION \
        API_KEY_HEADER PASSWORD_MIN_LENGTH"
        .split_whitespace()
    {
        assert_eq!(credential(name, "swordfish-7", &[]), None, "{name}");
    }
}

#[test]
fn an_ambiguous_name_needs_a_value_that_looks_like_a_credential() {
    let token = random_text("a", 20, 5);
    assert_eq!(credential("SOME_KEY", &token, &[]), Some(Reason::Name));
    assert_eq!(credential("SOME_KEY", "customer_identifier", &[]), None);
    assert_eq!(
        credential("MYSQL_DSN", "me:hunter2@tcp(db:3306)/shop", &[]),
        Some(Reason::Name)
    );
}

#[test]
fn credentials_within_other_values_are_found() {
    let token = random_text("a", 32, 5);
    let hex = random_text("h", 32, 5);
    for (name, value) in [
        ("TELEGRAM_API_HASH", hex.clone()),
        ("SOME_HASH", hex.clone()),
        (
            "SEED",
            "legal winner thank year wave sausage worth useful legal winner thank yellow"
                .to_owned(),
        ),
        (
            "ACCOUNTS",
            r#"[{"user": "me", "password": "swordfish"}]"#.to_owned(),
        ),
        (
            "EXTRA_HEADERS",
            "X-API-Key=swordfish,Accept=text/html".to_owned(),
        ),
        ("HEADERS", "Authorization: Token swordfish".to_owned()),
        (
            "JAVA_OPTS",
            "-Xmx2g -Dshop.api.key=acme-prod-9931".to_owned(),
        ),
        (
            "NETRC",
            "machine git.example.com login me password swordfish".to_owned(),
        ),
        ("API_KEYS", format!("{token},{hex}")),
        ("ACCESS_TOKENS", "acme-prod-9931;acme-prod-9932".to_owned()),
        ("BASIC_AUTH", "me:X3Ks4WdqtGH0".to_owned()),
        ("TWITCH_OAUTH", format!("oauth:{token}")),
        (
            "RPC_URL",
            format!("https://eth-mainnet.g.alchemy.com/v2/{token}"),
        ),
        ("RPC", format!("https://mainnet.infura.io/v3/{hex}")),
        ("NODE", format!("https://x.quiknode.pro/{hex}/")),
        (
            "BOT",
            format!("https://api.telegram.org/bot1234567890:{token}/getMe"),
        ),
        ("LINK", format!("https://example.com/callback#{token}")),
        (
            "LINK",
            "https://example.com/callback#access_token=acme-prod-9931".to_owned(),
        ),
        ("PRIVATE_KEY", format!("0x{hex}{hex}")),
        (
            "INSTAGRAM_SESSION_ID",
            format!("72277201299%3A{token}%3A28"),
        ),
    ] {
        assert!(credential(name, &value, &[]).is_some(), "{name}={value}");
    }
}

/// In several clients, and in LiteLLM.
#[test]
fn notations_for_a_value_elsewhere_are_no_credentials() {
    for value in [
        "os.environ/OPENAI_API_KEY",
        "os.environ['OPENAI_API_KEY']",
        "process.env.OPENAI_API_KEY",
        "!op read op://vault/item/field",
        "!/usr/local/bin/get-token --quiet",
        "!pass show shop/token",
        "!cmd",
        "@keychain:openai",
        "@env:OPENAI_API_KEY",
        "@op://vault/item/field",
    ] {
        for name in ["API_KEY", "GITHUB_TOKEN", "DB_PASSWORD"] {
            assert_eq!(credential(name, value, &[]), None, "{name}={value}");
        }
    }
    for value in ["!Passw0rd", "@hunter2!", "!x9-Kq2", "osenviron-9931"] {
        let reason = credential("DB_PASSWORD", value, &[]);
        assert_eq!(reason, Some(Reason::Name), "{value}");
    }
}

#[test]
fn words_are_a_credential_after_a_name_that_announces_them() {
    for name in [
        "PASSPHRASE",
        "SSH_PASS_PHRASE",
        "keystorePassphrase",
        "SEED_PHRASE",
        "WALLET_MNEMONIC",
        "recovery-phrase",
        "WALLET_SEED",
    ] {
        let reason = credential(name, "correct horse battery staple", &[]);
        assert_eq!(reason, Some(Reason::Name), "{name}");
    }
    for (name, value) in [
        ("WAKE_PHRASE", "hello there my computer"),
        ("SEED_PHRASE", "your seed phrase here"),
        ("SEED_PHRASE", "the words from your wallet"),
        ("RANDOM_SEED", "42"),
        ("DATA_SEED", "fresh data"),
        ("PASSPHRASE", "your-passphrase-here"),
    ] {
        assert_eq!(credential(name, value, &[]), None, "{name}={value}");
    }
}

#[test]
fn a_hint_is_compared_without_case() {
    assert_eq!(credential("X-Team", "swordfish", &[]), None);
    assert_eq!(
        credential("X-Team", "swordfish", &["x-team"]),
        Some(Reason::Name)
    );
    assert_eq!(credential("X-Team", "${TEAM}", &["x-team"]), None);
}

#[test]
fn passwords_that_people_choose_are_not_placeholders() {
    for value in [
        "postgres",
        "hunter2",
        "$ecret1",
        "12345678",
        "correct horse battery staple",
        "Set-5ail!",
        "test",
        "p@ss",
    ] {
        let reason = credential("DB_PASSWORD", value, &[]);
        assert_eq!(reason, Some(Reason::Name), "{value}");
    }
}

#[test]
fn passwords_in_urls_and_connection_strings_are_found() {
    for (text, password) in [
        ("postgres://shop:hunter2@db:5432/shop", "hunter2"),
        (
            "mongodb+srv://me:p%40ss!w@cluster0.example.net/?retryWrites=true",
            "p%40ss!w",
        ),
        ("redis://:sesame1@cache:6379", "sesame1"),
        ("https://jane:letmein@example.com/x.git", "letmein"),
        ("amqps://a:b:c@mq/vhost", "b:c"),
        ("see https://example.com and ftp://u:pw1@host", "pw1"),
        ("https://mcp.example.com/mcp?api_key=abc123def", "abc123def"),
        (
            "https://mcp.example.com/mcp?profile=me&token=abc123def#x",
            "abc123def",
        ),
        (
            "https://x.example.com/sse?apiKey=s3cr3t-s3cr3t",
            "s3cr3t-s3cr3t",
        ),
        (
            "https://a.blob.core.windows.net/c?sv=2023&sig=aGVsbG8lM0Q",
            "aGVsbG8lM0Q",
        ),
        (
            "Server=db;Database=shop;User Id=sa;Password=S3same!;Encrypt=true",
            "S3same!",
        ),
        ("Server=db;Uid=sa;Pwd=S3same!;", "S3same!"),
        ("host=db user=me password=sesame", "sesame"),
        (
            "cache.example.net:6380,password=sesame1,ssl=True",
            "sesame1",
        ),
        (
            "jdbc:postgresql://db/shop?user=me&password=sesame",
            "sesame",
        ),
    ] {
        let (place, reason) = find(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((&text[place], reason), (password, Reason::Url), "{text}");
        assert_eq!(credential("TARGET", text, &[]), Some(Reason::Url), "{text}");
        assert!(!format!("{reason}{reason:?}").contains(password));
    }
    let key = random_text("a", 86, 7);
    let account = format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={key}==");
    assert_eq!(find(&account).unwrap().1, Reason::Url);
    let user = format!("https://{}@example.com/x.git", random_text("h", 40, 7));
    assert_eq!(find(&user), Some((8..48, Reason::Url)));
}

#[test]
fn a_user_and_password_in_base64_are_found() {
    let text = concat!("Authorization: Basic ", "amFuZTpsZXRtZWlu");
    let (place, reason) = find(text).unwrap();
    assert_eq!(place, 21..text.len());
    assert_eq!(reason.to_string(), "user and password");
    assert_eq!(find("Basic authentication and Basic QUJDREVGR0g="), None);
}

#[test]
fn a_bearer_token_of_no_known_kind_is_found() {
    let text = format!("authorization: bearer {}", random_text("a", 32, 9));
    let (place, reason) = find(&text).unwrap();
    assert_eq!(place, 22..text.len());
    assert_eq!(reason.to_string(), "bearer token");
    assert_eq!(find("Bearer authentication-is-what-it-asks-for"), None);
}

#[test]
fn an_escape_before_a_token_does_not_hide_it() {
    let token = random_text("a", 36, 9);
    for before in ["%3D", "\\n", "=", "\"", "ü", "/", "\\t"] {
        let text = format!("{before}ghp_{token}");
        assert!(find(&text).is_some(), "{text}");
    }
    assert_eq!(find(&format!("xghp_{token}")), None);
}

#[test]
fn long_random_words_are_found_under_any_name() {
    let mut missed = 0;
    for seed in 1..=200 {
        for word in [
            random_text("h", 32, seed),
            random_text("h", 40, seed),
            random_text("a", 24, seed),
            random_text("a", 40, seed),
            random_text("r", 43, seed),
            random_text("b", 32, seed),
            random_text("l", 32, seed),
            format!("{}==", random_text("a", 86, seed)),
        ] {
            let text = format!("- value: {word} # so");
            let found = find_any(&text);
            missed += usize::from(found.is_none());
            if let Some((place, reason)) = found {
                assert_eq!((&text[place], reason), (word.as_str(), Reason::Random));
                assert_eq!(credential("VALUE", &word, &[]), Some(Reason::Random));
            }
            assert_eq!(find(&text), None, "{word}");
        }
    }
    // Of 1,600 words. The missed ones contain too many pairs of letters that are usual in words.
    assert!(missed <= 16, "{missed}");
}

#[test]
fn nothing_is_found_in_an_ordinary_config() {
    let config = "\
# Scopes of the team; values come from `mcplexer secret put github-token GITHUB_TOKEN`.
# The token begins with ghp_ and is made at https://github.com/settings/tokens?type=beta; see also
# https://github.com/owner/name/blob/5f2b9f1a0c3d4e5f60718293a4b5c6d7e8f90a1b/README.md
version: 1
id: 72f988bf-86f1-41af-91ab-2d7cd011db47
recipient: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudpyf5asj2m6yn
image: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
auth_scopes:
  - id: github-token
    name: \"GitHub Token\"
    kind: env
    redaction_hints: [GITHUB_PERSONAL_ACCESS_TOKEN, Authorization]
  - id: internal-observability-dashboards-production
    name: Passwords & keys, for all who ask
    kind: header
    redaction_hints: [\"X-Api-Key\", X-Customer-Authentication-Token]
    url: https://mcp.example.com/v1/sse?region=eu
    command: [npx, -y, \"@modelcontextprotocol/server-filesystem@2025.1.14\", /home/jane/Documents]
";
    assert_eq!(find_any(config), None);
    for value in [
        random_text("h", 40, 3),
        format!("{}=", random_text("a", 43, 3)),
    ] {
        let held = config.replace("kind: header", &format!("value: {value}"));
        let (place, reason) = find_any(&held).unwrap();
        assert_eq!((&held[place], reason), (value.as_str(), Reason::Random));
    }
    let held = config.replace("env", "postgres://a:hunter2@db/x");
    assert_eq!(find_any(&held).unwrap().1, Reason::Url);
}

#[test]
fn only_digests_and_identifiers_among_ordinary_values_look_random() {
    for (name, value) in ORDINARY {
        let identifies = [
            "ID",
            "Id",
            "COMMIT",
            "SHA",
            "ETAG",
            "PUBLIC_KEY",
            "HASH",
            "SPREADSHEET",
            "TENANT",
            "WALLET",
        ]
        .iter()
        .any(|it| name.ends_with(it));
        assert!(identifies || find_any(value).is_none(), "{value}");
    }
}

#[test]
fn a_token_that_is_the_default_of_a_variable_is_found() {
    let text = format!("${{GITHUB_TOKEN:-ghp_{}}}", random_text("a", 36, 9));
    assert_eq!(find(&text).unwrap().0, 16..56);
    assert!(matches!(
        credential("GITHUB_TOKEN", &text, &[]),
        Some(Reason::Shape { .. })
    ));
}

#[test]
fn the_first_of_several_is_found() {
    let token = random_text("a", 36, 9);
    let text = format!("postgres://a:hunter2@db ghp_{token}");
    assert_eq!(find(&text), Some((13..20, Reason::Url)));
    let text = format!("ghp_{token} postgres://a:hunter2@db");
    assert_eq!(find(&text).unwrap().0, 0..40);
    let text = format!("https://ghp_{token}@github.com");
    assert!(matches!(find(&text), Some((_, Reason::Shape { .. }))));
}

/// Generates texts from what the detectors look for.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[ -~]{0,12}",
        "[a-zA-Z0-9+/_=-]{1,60}",
        prop::sample::select(vec![
            "://",
            "@",
            ":",
            "?",
            "&",
            "=",
            ";",
            "\n",
            "ü",
            "%3D",
            "\\n",
            "${",
            "}",
            "password=",
            "token=",
            "ghp_",
            "sk-",
            "Bearer ",
            "Basic ",
            "eyJ",
            ".",
            "..",
            "-----BEGIN PRIVATE KEY-----",
            "-----END ",
            "sha256:",
            "…",
            "€",
            "\u{1f511}",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 50_000 }))]

    #[test]
    fn any_text_is_accepted_and_ranges_lie_within_it(name in texts(), text in texts(), hint in texts()) {
        let _ = credential(&name, &text, &[&hint]);
        for (place, _) in [find(&text), find_any(&text)].into_iter().flatten() {
            prop_assert!(!text.get(place).unwrap().is_empty());
        }
    }

    #[test]
    fn what_find_finds_find_any_finds_as_well(text in texts()) {
        let (some, any) = (find(&text), find_any(&text));
        prop_assert!(some.is_none() || any.is_some());
    }
}

#[test]
fn strings_within_json_are_judged_with_the_names_before_them() {
    for value in [
        r#"{"region": "eu", "mail": {"password": "abcd efgh ijkl mnop"}}"#,
        r#"{"token": "ab\u0063d-1234-9931"}"#,
        r#"{"netrc": "machine api.acme.io login jane password x7"}"#,
        r#"{"settings": "{\"client\": {\"apiKey\": \"acme-prod-9931\"}}"}"#,
        r#"{"keys": [{"secretKey": "acme-prod-9931"}], "cut": "#,
    ] {
        assert!(credential("SETTINGS", value, &[]).is_some(), "{value}");
    }
    for value in [
        r#"{"secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-tnj3Zh"}"#,
        r#"{"type": "object", "properties": {"token": {"type": "string"}}}"#,
        r#"{"password": "Enter the password"}"#,
    ] {
        assert_eq!(credential("SETTINGS", value, &[]), None, "{value}");
    }
}

#[test]
fn keys_of_wallets_are_found_as_bytes_and_as_digits() {
    let bytes: Vec<String> = (0..64_u32).map(|it| (it * 97 % 251).to_string()).collect();
    let list = format!("[{}]", bytes.join(","));
    let digits = format!("0x{}", "4f1d9c27a8e0b356".repeat(4));
    for name in ["KEYPAIR", "SOLANA_SECRET_KEY", "DEPLOYER"] {
        assert!(credential(name, &list, &[]).is_some(), "{name}");
        assert!(credential(name, &digits, &[]).is_some(), "{name}");
    }
    for name in ["TX", "TXN_HASH", "BLOCK_HASH", "TRANSACTION_ID"] {
        assert_eq!(credential(name, &digits, &[]), None, "{name}");
    }
}

#[test]
fn the_last_words_of_a_name_may_say_which_one_it_is() {
    for name in [
        "NOTION_TOKEN_V2",
        "SECRET_KEY_BASE",
        "PGPASS",
        "WOLFRAM_APP_ID",
        "wolframAlphaAppid",
        "E_STAT_APP_ID",
        "RAKUTEN_APPLICATION_ID",
        "EBAY_CERT_ID",
    ] {
        assert!(credential(name, "acme-9931-x7", &[]).is_some(), "{name}");
    }
    for name in [
        "SLACK_APP_ID",
        "ESTAT_APPROVAL_ID",
        "RAKUTEN_APPLE_ID",
        "COMPASS",
        "AIRTABLE_BASE",
        "API_V2",
    ] {
        assert_eq!(credential(name, "acme-9931-x7", &[]), None, "{name}");
    }
    assert!(credential("ADMIN_PIN", "4711", &[]).is_some());
    assert_eq!(credential("GPIO_PIN", "17", &[]), None);
}

#[test]
fn an_address_may_be_the_credential() {
    let uuid = "3aca2d7f-9af7-4c1e-b0a1-9a40bd6cc2f1";
    for address in [
        format!("https://open.feishu.cn/open-apis/bot/v2/hook/{uuid}"),
        format!("https://mcp.example.com/{uuid}/slack"),
        format!("https://hooks.example.com/{uuid}"),
        format!("https://hc-ping.com/{uuid}"),
        "https://api.example.com/mcp?profile=a&x=9cK2vQ7mLp4ZrT8nWb3XyH6d".to_owned(),
        "https://api.telegram.org/bot6513987523:AAsGe9DgEiabG6SZoxR7xdOpsNiGaegtcRt/".to_owned(),
    ] {
        assert!(credential("SERVER", &address, &[]).is_some(), "{address}");
    }
    for address in [
        format!("https://app.example.com/projects/{uuid}"),
        format!("https://example.com/v1/{uuid}/items"),
        "https://hooks.example.com/00000000-0000-0000-0000-000000000000".to_owned(),
        "https://acme.okta.com/app/exkE4hguTuTKOxjg9K6Q/sso/saml/metadata".to_owned(),
        "https://cdn.example.com/app.js?v=9cK2vQ7mLp4ZrT8nWb3XyH6d".to_owned(),
        "https://485d35f08b9b61a2d2d966886963383c@o109717.ingest.de.sentry.io/678743".to_owned(),
    ] {
        assert_eq!(credential("SERVER", &address, &[]), None, "{address}");
    }
}

#[test]
fn a_scheme_and_a_token_are_a_credential() {
    let token = "9cK2vQ7mLp4ZrT8nWb3XyH6d";
    for (name, value) in [
        ("UPSTREAM", format!("Bearer {token}")),
        ("UPSTREAM", format!("SSWS 00{token}")),
        (
            "UPSTREAM",
            "GenieKey 3aca2d7f-9af7-4c1e-b0a1-9a40bd6cc2f1".to_owned(),
        ),
        ("UPSTREAM", format!("Basic {token}==")),
        (
            "UPSTREAM",
            "Basic 1SI69q1O6uqbkWqT26/u6wiOLY+THl2GRyXh".to_owned(),
        ),
        ("ACME_HEADER", format!("Acme-Key {token}")),
        ("acmeAuth", format!("Acme {token}")),
    ] {
        assert!(credential(name, &value, &[]).is_some(), "{name} {value}");
        assert!(in_words(name, &value).is_some(), "{name} {value}");
    }
    for (name, value) in [
        ("UPSTREAM", format!("Acme {token}")),
        ("AUTH_HEADER", "Bearer ${TOKEN}".to_owned()),
        ("AUTH_HEADER", "Bearer YOUR_ACCESS_TOKEN".to_owned()),
        ("AUTH_HEADER", "Authorization".to_owned()),
        ("PAGE_HEADER", "Welcome internationalization".to_owned()),
        ("UPSTREAM", "Basic srv/docs/readme/main".to_owned()),
        ("UPSTREAM", "Basic Docs/Readme/v2/Main/Index".to_owned()),
    ] {
        assert_eq!(in_words(name, &value), None, "{name} {value}");
    }
    assert!(in_words("", "machine git.example.com login jane password x7").is_some());
}

#[test]
fn what_is_made_of_a_password_and_logins_of_oracle_are_found() {
    let hash = "9cK2vQ7mLp4ZrT8nWb3XyH6d.Jq5s";
    for value in [
        format!("$6$rounds=5000$x7$W{hash}"),
        format!("$2y$10${hash}"),
        format!("admin:$apr1${hash}"),
        format!("$argon2id$v=19$m=65540,t=3,p=4${hash}"),
        "jdbc:oracle:thin:scott/tiger7@//db.example.com:1521/XE".to_owned(),
        "jdbc:oracle:oci:scott/tiger7@shop".to_owned(),
        "system/tigerXE@localhost:1521/XEPDB1".to_owned(),
        "scott/tiger7@//db.example.com:1521/ORCL".to_owned(),
    ] {
        assert!(credential("SETTING", &value, &[]).is_some(), "{value}");
    }
    for value in ["$5 and $6", "jdbc:oracle:thin:@//db.example.com:1521/XE"] {
        assert_eq!(credential("SETTING", value, &[]), None, "{value}");
    }
}

#[test]
fn names_of_objects_public_keys_and_files_stay() {
    let digits = "4f1d9c27a8e0b356";
    let sha1 = format!("{digits}{digits}a8e0b356");
    let base58 = "9cK2vQ7mLp4ZrT8nWb3XyH6dPq5sJu7eFg1hAiBjCkDm";
    for (name, value) in [
        ("GPG_SIGNING_KEY", digits.to_owned()),
        ("PGP_KEY", sha1.clone()),
        ("INFO_HASH", sha1),
        ("RELEASE_SHA256SUM", digits.repeat(4)),
        ("PARENT", format!("00-{digits}{digits}-{digits}-01")),
        ("STORED_AT", format!("Qm{base58}")),
        ("WATCH_ONLY", format!("xpub6C{base58}{base58}")),
        ("STRIPE_PK", format!("pk_live_{base58}")),
        ("LAST", "toolu_01DVT39MqSwIIx8weOiUmcW0".to_owned()),
        ("ATTACHMENT", format!("UEsDBBQAAAAI{base58}")),
        ("PULL_SECRET", "regcred".to_owned()),
        ("TLS_SECRET", "shop-tls".to_owned()),
        (
            "DB_SECRET",
            "projects/acme/secrets/db-password/versions/latest".to_owned(),
        ),
        (
            "VERIFYING",
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{base58}"}}"#),
        ),
        (
            "MANIFEST",
            format!(
                "https://registry.example.com/v2/shop/manifests/sha256:{}",
                digits.repeat(4)
            ),
        ),
    ] {
        assert_eq!(credential(name, &value, &[]), None, "{name} {value}");
    }
    let private = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{base58}","d":"{base58}"}}"#);
    assert!(credential("SIGNING", &private, &[]).is_some());
    assert!(credential("TLS_SECRET", base58, &[]).is_some());
}

#[test]
fn a_uuid_is_a_key_where_the_name_may_say_so() {
    let uuid = "93eac594-5cac-4c7f-a688-5e807725ca3c";
    for name in ["ACME_KEY", "ACME_LEGACY_KEY", "acmeKey"] {
        assert!(credential(name, uuid, &[]).is_some(), "{name}");
    }
    for name in ["ACME", "CACHE_KEY", "PROJECT_KEY"] {
        assert_eq!(credential(name, uuid, &[]), None, "{name}");
    }
    let suffixed = "https://sctapi.ftqq.com/SCT436529T1aK6GSSTPHlxLbU5l3LshLWEGU.send";
    assert!(credential("SERVER", suffixed, &[]).is_some());
}

#[test]
fn names_in_other_languages_and_orders_make_a_credential() {
    for name in "\
        PASSWORT DATENBANKPASSWORT DB_KENNWORT CONTRASENA_BD contraseña MOT_DE_PASSE SENHA_BANCO HASLO_BAZY WACHTWOORD \
        LOSENORD SALASANA HESLO SIFRE PAROLA ADGANGSKODE JELSZO KATA_SANDI MIMA ПАРОЛЬ 密码 PASSWORD_DB PASS_SMTP \
        TOKEN_BOT CLAVE_API CLE_API BASICAUTH_USERS BAMBU_ACCESS_CODE PRTG_PASSHASH"
        .split_whitespace()
    {
        let value = match name {
            "BASICAUTH_USERS" => "admin:BlueFish#4220",
            "BAMBU_ACCESS_CODE" => "50702144",
            _ => "BlueFish#4220",
        };
        assert_eq!(credential(name, value, &[]), Some(Reason::Name), "{name}");
    }
    for (name, value) in [
        ("PASSWORT_DATEI", "geheim-2024.enc"),
        ("SENHA_TAMANHO", "12"),
        ("CLAVE_PRIMARIA", "cliente_id2"),
        ("CONTRASENA_LONGITUD", "min12-max64"),
        ("TOKEN_API", "disabled"),
    ] {
        assert_eq!(credential(name, value, &[]), None, "{name}={value}");
    }
}

#[test]
fn a_service_may_be_named_after_its_secret_and_an_id() {
    let uuid = "0edf4328-b04c-49e4-ae12-fc3e1dcd0d91".to_owned();
    let token = random_text("a", 24, 5);
    for (name, value) in [
        ("CLIENT_SECRET_HEROKU", &uuid),
        ("ACCESS_TOKEN_ACME", &uuid),
        ("VAULT_SECRET_ID", &uuid),
        ("SPLUNK_HEC", &uuid),
        ("ENCRYPTION_PRIMARY_KEY", &token),
    ] {
        assert!(credential(name, value, &[]).is_some(), "{name}");
    }
    for (name, value) in [
        ("CLIENT_ID_VERCEL", &token),
        ("AZURE_CLIENT_SECRET_ID", &uuid),
        ("STEEL_SESSION", &uuid),
        ("MAPBOX_PUBLIC_TOKEN", &token),
        ("RENDER_SERVICE", &token),
    ] {
        assert_eq!(credential(name, value, &[]), None, "{name}");
    }
}

#[test]
fn a_short_key_has_digits_between_its_letters() {
    for value in ["5d61d39c", "hUQA7lBKEmUw07", "a1b2c3d4e5"] {
        assert_eq!(credential("OMDB_KEY", value, &[]), Some(Reason::Name));
    }
    for value in [
        "shop2024",
        "customers",
        "2024shop",
        "shop:v2:eu1",
        "12345678",
    ] {
        assert_eq!(credential("OMDB_KEY", value, &[]), None, "{value}");
    }
}

#[test]
fn public_keys_of_senders_and_servers_stay() {
    let key = random_text("h", 32, 5);
    for (name, value) in [
        ("SENTRY_DSN", format!("https://{key}@sentry.acme.io/7")),
        ("DSN", format!("https://{key}@glitchtip.acme.io/sub/12")),
        (
            "OPTIONS",
            format!(r#"{{"dsn":"https://{key}@o1.ingest.de.sentry.io/4"}}"#),
        ),
        (
            "HOST_KEY",
            format!("ecdsa-sha2-nistp256 AAAAE2VjZHNh{key}="),
        ),
        ("ORACLE_DSN", "db.acme.io:1521/ORCLPDB1".to_owned()),
    ] {
        assert_eq!(credential(name, &value, &[]), None, "{value}");
    }
    for value in [
        format!("https://{key}@registry.acme.io/simple"),
        format!("https://{key}:{key}@sentry.acme.io/7"),
    ] {
        assert_eq!(credential("DSN", &value, &[]), Some(Reason::Url), "{value}");
    }
}

#[test]
fn the_address_of_a_webhook_has_a_token() {
    let token = random_text("l", 16, 7);
    for address in [
        format!("https://acme.bitrix24.ru/rest/1/{token}/"),
        format!("https://acme.io/in/{token}"),
        format!("https://chat.acme.io/{token}?thread=ops"),
    ] {
        assert_eq!(
            credential("OPS_WEBHOOK", &address, &[]),
            Some(Reason::Address),
            "{address}"
        );
        assert_eq!(credential("OPS_URL", &address, &[]), None, "{address}");
    }
    let address = "https://acme.io/webhook-handlers/order-created";
    assert_eq!(credential("OPS_WEBHOOK", address, &[]), None);
}

#[test]
fn a_token_may_be_some_parts_after_a_webhook() {
    let token = "3f9ac2107be45d6801cf2e93ab74d560";
    for path in ["iwh/Ab3dEf", "webhooks/acme", "integration", "eth/mainnet"] {
        let address = format!("https://example.com/{path}/{token}/");
        assert_eq!(
            credential("SERVICE_URL", &address, &[]),
            Some(Reason::Address),
            "{path}"
        );
    }
    let page = format!("https://example.com/shop/{token}/");
    assert_eq!(credential("SERVICE_URL", &page, &[]), None);
}

#[test]
fn the_id_of_a_key_is_none_if_its_name_says_so() {
    let id = ["SK", "3f9ac2107be45d6801cf2e93ab74d560"].concat();
    assert_eq!(credential("TWILIO_API_KEY_SID", &id, &[]), None);
    assert_eq!(find(&format!("api_key_sid={id}")), None);
    assert_eq!(find(&format!("{{\"apiKeySid\": \"{id}\"}}")), None);
    assert!(credential("TWILIO_API_KEY", &id, &[]).is_some());
}
