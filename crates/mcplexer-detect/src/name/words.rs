//! Words in the names of credentials.

/// Words that may follow the one that counts: `TOKEN_PROD`.
pub(super) const QUALIFIERS: &[&str] = &[
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
    "example",
    "env",
    "var",
];
/// Ends of the last word of a password: `password` as in `PGPASSWORD`.
pub(super) const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "passhash",
    "pwd",
];
/// Words for a password that are no ends of other words.
pub(super) const SHORT_PASSWORDS: &[&str] = &["psw", "pw"];
/// Words that end in `pass` and are no passwords: `DBPASS` is one.
pub(super) const ENDS_IN_PASS: &[&str] = &[
    "bypass",
    "compass",
    "encompass",
    "overpass",
    "surpass",
    "trespass",
    "underpass",
    "backpass",
];
/// Ends of the last word of a token or a key.
pub(super) const SECRETS: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "privkey",
    "seckey",
    "authkey",
    "credential",
    "credentials",
    "authorization",
    "cookie",
];
/// Words for a token that are no ends of other words.
pub(super) const SHORT_SECRETS: &[&str] = &["pat", "jwt", "bearer", "creds"];
/// Words that make a `key` after them secret.
pub(super) const KEYS: &[&str] = &[
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
/// Words for what may be secret.
pub(super) const PERHAPS: &[&str] = &[
    "dsn",
    "sid",
    "pk",
    "salt",
    "signature",
    "sig",
    "otp",
    "totp",
    "string",
    "webhook",
    "code",
    "oauth",
    "ak",
    "sk",
    // The HTTP Event Collector of Splunk, a shared key of a network, forgery of requests, licences.
    "hec",
    "psk",
    "csrf",
    "xsrf",
    "keypair",
    "license",
    "licence",
];
/// What a password, a token or a key is for, if that word follows: `PASSWORD_DB`, `TOKEN_API`.
pub(super) const TARGETS: &[&str] = &[
    "api",
    "bot",
    "database",
    "db",
    "email",
    "ftp",
    "imap",
    "ldap",
    "mail",
    "mariadb",
    "mongo",
    "mongodb",
    "mssql",
    "mysql",
    "oracle",
    "pg",
    "postgres",
    "postgresql",
    "redis",
    "root",
    "sftp",
    "smtp",
    "sql",
    "ssh",
    "vpn",
    "wifi",
    // Spanish, Portuguese, Italian, French, German, Polish.
    "acceso",
    "accesso",
    "acces",
    "acesso",
    "banco",
    "bazy",
    "bd",
    "bdd",
    "correo",
    "courriel",
    "dados",
    "datenbank",
    "datos",
    "donnees",
    "privada",
    "privata",
    "privee",
    "secreta",
    "zugang",
    "zugriff",
];
/// Words that make `tokens` after them a number, or tokens of a text.
pub(super) const COUNTED: &[&str] = &[
    "max",
    "min",
    "num",
    "number",
    "output",
    "input",
    "context",
    "prompt",
    "completion",
    "total",
    "stop",
    "special",
    "budget",
    "thinking",
];
/// Words for the words of a wallet's seed.
pub(super) const SEEDS: &[&str] = &["seed", "mnemonic", "seedphrase"];
/// Words that make a `phrase` after them one of a wallet.
pub(super) const OF_SEEDS: &[&str] =
    &["seed", "recovery", "backup", "secret", "wallet", "mnemonic"];
/// Words for a user and a password.
pub(super) const LOGINS: &[&str] = &["auth", "login", "basic", "basicauth", "userpwd"];
/// Words that make a `token` after them part of every page.
pub(super) const PUBLIC_TOKENS: &[&str] = &["public", "publishable"];
/// Words that make a `code` after them a number that people type.
pub(super) const CODES: &[&str] = &[
    "access", "alarm", "door", "pairing", "pass", "pin", "security", "unlock",
];
/// Words that make a `hash` after them secret, whatever it looks like.
pub(super) const SECRET_HASHES: &[&str] = &[
    "api", "app", "password", "passwd", "auth", "token", "secret",
];
/// Words that make a `secret` after them the name of an object of Kubernetes, unless it looks random.
pub(super) const NAMED_SECRETS: &[&str] = &["pull", "tls", "k8s", "kubernetes"];
/// Services that call a key an id, and how the word before `id` begins.
pub(super) const SECRET_IDS: &[(&str, &str)] = &[
    ("estat", "app"),
    ("rakuten", "app"),
    ("stat", "app"),
    ("wolfram", "app"),
    ("wolframalpha", "app"),
    ("openweather", "app"),
    ("openweathermap", "app"),
    ("owm", "app"),
    ("blockfrost", "project"),
    ("ebay", "cert"),
    ("vault", "secret"),
    ("bao", "secret"),
    ("approle", "secret"),
];
/// Words that make a `hash` after them public.
pub(super) const PUBLIC_HASHES: &[&str] = &[
    "block",
    "build",
    "bundle",
    "cache",
    "commit",
    "config",
    "content",
    "file",
    "git",
    "info",
    "ipfs",
    "image",
    "layer",
    "lock",
    "model",
    "schema",
    "transaction",
    "tree",
    "tx",
    "version",
];
/// Words that make a `key` after them public.
pub(super) const PUBLIC_KEYS: &[&str] = &[
    "public",
    "publishable",
    "pub",
    "verifying",
    "verification",
    "file",
    "project",
    "space",
    "board",
    "page",
    "issue",
    "doc",
    "document",
    "object",
    "sort",
    "partition",
    "cache",
    "foreign",
    "figma",
    "site",
    "idempotency",
    "translation",
    "sheet",
    "spreadsheet",
];
