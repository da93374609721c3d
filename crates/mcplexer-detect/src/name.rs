//! What the name of a variable, header field or parameter says of its value.

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// It is a password, which people choose.
    Password,
    /// It is a token or a key.
    Secret,
    /// It may be one.
    Perhaps,
    /// Nothing.
    Nothing,
    /// It may look random and is none: an identifier, a digest, a public key.
    Public,
}

/// What may follow the word that counts: `TOKEN_PROD`, `TOKEN_2`.
const QUALIFIERS: &[&str] = &[
    "value",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "stage",
    "test",
    "testing",
    "live",
    "sandbox",
    "old",
    "new",
    "current",
    "primary",
    "secondary",
    "backup",
    "default",
    "main",
    "base64",
    "b64",
    "env",
    "var",
];
/// Ends of a last word: `password` as in `PGPASSWORD`.
const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "passcode", "pwd"];
/// Whole words.
const SHORT_PASSWORDS: &[&str] = &["pass", "psw", "pw", "dbpass", "sshpass", "userpass"];
/// Ends of a last word, likewise.
const SECRETS: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "credential",
    "credentials",
    "authorization",
    "cookie",
];
/// Whole words.
const SHORT_SECRETS: &[&str] = &["pat", "jwt", "bearer", "creds"];
/// What a key is that has such a word before it.
const KEYS: &[&str] = &[
    "access",
    "account",
    "admin",
    "api",
    "app",
    "application",
    "auth",
    "client",
    "consumer",
    "customer",
    "deploy",
    "developer",
    "encryption",
    "hmac",
    "host",
    "ingest",
    "integration",
    "jwt",
    "license",
    "master",
    "personal",
    "private",
    "read",
    "rest",
    "role",
    "root",
    "secret",
    "server",
    "service",
    "session",
    "shared",
    "signing",
    "storage",
    "subscription",
    "user",
    "webhook",
    "write",
];
const PERHAPS: &[&str] = &[
    "key",
    "auth",
    "dsn",
    "session",
    "sid",
    "pin",
    "salt",
    "seed",
    "mnemonic",
    "signature",
    "sig",
    "otp",
    "totp",
    "string",
    "webhook",
    "login",
    "code",
];
/// What is no secret before `key`: public halves, and keys that name something.
const PUBLIC_KEYS: &[&str] = &["public", "publishable", "pub", "verifying", "verification"];
const IDENTIFIERS: &[&str] = &[
    "id",
    "ids",
    "uuid",
    "guid",
    "arn",
    "sha",
    "sha1",
    "sha256",
    "commit",
    "hash",
    "digest",
    "checksum",
    "md5",
    "fingerprint",
    "thumbprint",
    "integrity",
    "rev",
    "revision",
    "ref",
    "etag",
    "recipient",
    "recipients",
    "version",
    "cert",
    "certificate",
    "image",
];

/// What a name says.
pub(super) fn says(name: &str) -> Says {
    let mut words = words(name);
    while words.len() > 1 && words.last().is_some_and(|last| is_qualifier(last)) {
        words.pop();
    }
    let mut from_last = words.iter().rev().map(|word| trimmed(word));
    let (last, before) = (
        from_last.next().unwrap_or(""),
        from_last.next().unwrap_or(""),
    );
    let ends_with = |ends: &[&str]| ends.iter().any(|end| last.ends_with(end));
    let is_secret = ends_with(SECRETS)
        || SHORT_SECRETS.contains(&last)
        || (last == "key" && KEYS.contains(&before));
    if last == "key" && PUBLIC_KEYS.contains(&before) || last == "publickey" {
        Says::Public
    } else if ends_with(PASSWORDS) || SHORT_PASSWORDS.contains(&last) {
        Says::Password
    } else if is_secret {
        Says::Secret
    } else if PERHAPS.contains(&last) {
        Says::Perhaps
    } else if IDENTIFIERS.contains(&last) {
        Says::Public
    } else {
        Says::Nothing
    }
}

/// Whether a name says that its value is the name of an environment variable.
pub(super) fn is_of_a_variable(name: &str) -> bool {
    let words = words(name);
    let last = words.last().map_or("", String::as_str);
    words.len() > 1 && ["env", "var", "envvar", "variable"].contains(&last)
}

fn is_qualifier(word: &str) -> bool {
    QUALIFIERS.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `token` of `token2`; `sha256` as it is.
fn trimmed(word: &str) -> &str {
    if IDENTIFIERS.contains(&word) {
        return word;
    }
    word.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// The words of a name in `SNAKE_CASE`, `kebab-case` or `camelCase`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let characters: Vec<char> = name.chars().collect();
    for (at, &c) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(at + 1);
        let begins = c.is_ascii_uppercase()
            && (before.is_some_and(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
                || before.is_some_and(char::is_ascii_uppercase)
                    && after.is_some_and(char::is_ascii_lowercase));
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
