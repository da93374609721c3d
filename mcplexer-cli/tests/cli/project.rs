//! Projects: `mcplexer.yaml`, whether it is trusted, and the commands that use it.

mod hook;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::Running;

use super::home::{Home, Run, finish};

const FILE: &str = "scopes: [github]\nenv:\n  DATABASE_URL: mcplexer://shop/URL\nenv_file: dev.env\nprofiles:\n  prod:\n    scopes: []\n    env:\n      DATABASE_URL: mcplexer://prod/URL\n";
const PRINT: &str = "echo \"$TOKEN|$DATABASE_URL|$PORT\"";

struct Shop(Home);

impl Shop {
    /// A home with three scopes, and a project in `code/shop`.
    fn new() -> Self {
        let home = Home::new();
        for (scope, key, value) in [
            ("github", "TOKEN", "m4rked-token-1234"),
            ("shop", "URL", "m4rked-url-of-dev"),
            ("prod", "URL", "m4rked-url-of-prod"),
        ] {
            home.run(["secret", "put", scope, key, value]).succeeded();
        }
        let shop = Self(home);
        fs::create_dir_all(shop.directory().join("src/deep")).unwrap();
        shop.write("mcplexer.yaml", FILE);
        shop.write("dev.env", "PORT=8080\n");
        shop
    }

    fn directory(&self) -> PathBuf {
        self.0.root().join("code/shop")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.directory().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    }

    fn command(&self, directory: impl AsRef<Path>, arguments: &[&str]) -> Command {
        let mut command = self.0.command();
        command
            .args(arguments)
            .current_dir(self.0.root().join(directory))
            .env("PATH", test_support::STANDARD_PATH);
        command
    }

    fn run(&self, directory: impl AsRef<Path>, arguments: &[&str]) -> Run {
        finish(&mut self.command(directory, arguments))
    }

    fn trust(&self) {
        self.run("code/shop", &["trust"]).succeeded();
    }

    /// What a command gets.
    fn given(&self, directory: impl AsRef<Path>, options: &[&str]) -> Run {
        let arguments = [&["run"], options, &["--", "sh", "-c", PRINT]].concat();
        self.run(directory, &arguments)
    }
}

#[test]
fn a_trusted_project_needs_no_options() {
    let shop = Shop::new();
    let trusted = shop.run("code/shop", &["trust"]).succeeded();
    let said = "~/code/shop/mcplexer.yaml\n  all secrets of scope github\n  DATABASE_URL is shop/URL\n  the variables of dev.env\n  profile prod\n    DATABASE_URL is prod/URL\n  dev.env sets PORT\n";
    assert_eq!(
        trusted.stderr,
        format!("{said}~/code/shop/mcplexer.yaml is trusted as it is now\n")
    );
    let dev = "m4rked-token-1234|m4rked-url-of-dev|8080\n";
    for directory in ["code/shop", "code/shop/src/deep"] {
        assert_eq!(shop.given(directory, &[]).succeeded().text(), dev);
    }
    let prod = "|m4rked-url-of-prod|8080\n";
    let given = shop.given("code/shop", &["--profile", "prod"]);
    assert_eq!(given.succeeded().text(), prod);
    let mut command = shop.command("code/shop", &["exec", "--", "sh", "-c", PRINT]);
    let given = finish(command.env("MCPLEXER_PROFILE", "prod"));
    assert_eq!(given.succeeded().text(), prod);
    let shown = shop.run("code", &["trust", "--show", "shop"]).succeeded();
    assert_eq!(shown.text(), said);
    let mode = fs::metadata(shop.0.path("trusted")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o7777, 0o600);
}

/// Somebody may have put the file into a repository that was cloned, or change it later.
#[test]
fn what_is_not_trusted_to_the_byte_is_refused() {
    let shop = Shop::new();
    let hints = [
        "mcplexer trust --show ~/code/shop shows what it gives",
        "mcplexer trust ~/code/shop trusts it",
    ];
    let not_trusted = [
        "~/code/shop/mcplexer.yaml is not trusted",
        hints[0],
        hints[1],
    ];
    let changed = ["was changed since you trusted it", hints[0], hints[1]];
    shop.given("code/shop/src", &[]).failed(3, &not_trusted);
    shop.trust();
    shop.given("code/shop", &[]).succeeded();
    for (name, text) in [
        ("mcplexer.yaml", format!("{FILE}\n")),
        ("dev.env", "PORT=8081\n".to_owned()),
    ] {
        let path = shop.directory().join(name);
        let before = fs::read_to_string(&path).unwrap();
        shop.write(name, &text);
        shop.given("code/shop", &[]).failed(3, &changed);
        shop.write(name, &before);
        shop.given("code/shop", &[]).succeeded();
    }
    // At another place, the same content is another project.
    let moved = shop.0.root().join("moved");
    fs::rename(shop.directory(), &moved).unwrap();
    shop.given("moved", &[])
        .failed(3, &["~/moved/mcplexer.yaml is not trusted"]);
    fs::rename(&moved, shop.directory()).unwrap();
    assert_eq!(
        shop.run("", &["trust", "--list"]).succeeded().text(),
        "~/code/shop/mcplexer.yaml\n"
    );
    let revoked = shop.run("code", &["trust", "--revoke", "shop"]).succeeded();
    assert_eq!(
        revoked.stderr,
        "~/code/shop/mcplexer.yaml is trusted no longer\n"
    );
    shop.given("code/shop", &[]).failed(3, &not_trusted);
    assert_eq!(shop.run("", &["trust", "--list"]).succeeded().text(), "");
}

/// A file that others can write to, or that leads elsewhere, is not one that can be trusted.
#[test]
fn files_of_others_and_links_are_refused() {
    let shop = Shop::new();
    shop.trust();
    let file = shop.directory().join("mcplexer.yaml");
    for mode in [0o664, 0o646] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let said = [
            "mcplexer.yaml can be changed by other users",
            "chmod go-w ~/code/shop/mcplexer.yaml",
        ];
        shop.given("code/shop", &[]).failed(5, &said);
        shop.run("code/shop", &["trust"]).failed(5, &said);
    }
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    // Another project that borrows the trusted file.
    let evil = shop.0.root().join("evil");
    fs::create_dir(&evil).unwrap();
    symlink(&file, evil.join("mcplexer.yaml")).unwrap();
    shop.given("evil", &[])
        .failed(1, &["cannot read ~/evil/mcplexer.yaml"]);
    // A .env file that leads out of the project.
    fs::create_dir(shop.0.root().join("outside")).unwrap();
    fs::write(shop.0.root().join("outside/x.env"), "A=1\n").unwrap();
    symlink(shop.0.root().join("outside"), shop.directory().join("link")).unwrap();
    shop.write("mcplexer.yaml", "env_file: link/x.env\n");
    shop.run("code/shop", &["trust"])
        .failed(2, &["is not in the project's directory"]);
    symlink(
        shop.0.root().join("outside/x.env"),
        shop.directory().join("y.env"),
    )
    .unwrap();
    shop.write("mcplexer.yaml", "env_file: y.env\n");
    shop.run("code/shop", &["trust"])
        .failed(1, &["cannot read ~/code/shop/y.env"]);
    // The list of what is trusted.
    let list = shop.0.path("trusted");
    fs::set_permissions(&list, Permissions::from_mode(0o666)).unwrap();
    shop.write("mcplexer.yaml", FILE);
    shop.given("code/shop", &[])
        .failed(5, &["~/.mcplexer/trusted can be changed by other users"]);
}

#[test]
fn a_credential_in_the_file_is_refused_with_its_place() {
    let shop = Shop::new();
    shop.write(
        "mcplexer.yaml",
        "scopes: [github]\nenv:\n  A: m4rked-plain\n",
    );
    let run = shop.run("code/shop", &["trust"]);
    assert!(
        run.stderr
            .contains("mcplexer.yaml:3:6: env: expected mcplexer://SCOPE/KEY"),
        "{}",
        run.stderr
    );
    assert!(
        run.code == 2 && !run.stderr.contains("m4rked"),
        "{}",
        run.stderr
    );
    shop.write(
        "mcplexer.yaml",
        "scopes: [github]\n# password: x9Kq2mWvT4rZ8pLc\n",
    );
    let run = shop.run("code/shop", &["trust"]);
    assert!(
        run.stderr
            .contains("credentials are not allowed in this file"),
        "{}",
        run.stderr
    );
}

/// A client's file names the secrets of its servers, wherever they are started.
#[test]
fn a_project_changes_nothing_for_a_command_that_names_its_secrets() {
    let shop = Shop::new();
    let given = shop.given("code/shop", &["--scope", "github"]).succeeded();
    assert_eq!(given.text(), "m4rked-token-1234||\n");
    let mut referring = shop.command("code/shop", &["run", "--", "sh", "-c", PRINT]);
    let given = finish(referring.env("PORT", "mcplexer://shop/URL")).succeeded();
    assert_eq!(given.text(), "||m4rked-url-of-dev\n");
    let mut referring = shop.command("code/shop", &["run", "--profile", "prod", "--", "true"]);
    finish(referring.env("PORT", "mcplexer://shop/URL")).failed(2, &["--profile is for a command"]);
    shop.given("code/shop", &["--scope", "github", "--profile", "prod"])
        .failed(2, &["cannot be used with"]);
    shop.given("", &[])
        .failed(2, &["nothing to pass to the command", "mcplexer.yaml"]);
    shop.run("", &["trust"])
        .failed(4, &["there is no mcplexer.yaml here or above"]);
    shop.trust();
    shop.given("code/shop", &["--profile", "test"])
        .failed(4, &["has no profile test", "it has prod"]);
    // The home directory of the user is the last one that is looked into.
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("mcplexer.yaml"), FILE).unwrap();
    shop.run(other.path(), &["trust", "--show"])
        .failed(1, &["dev.env"]);
}

#[test]
fn what_several_processes_trust_at_once_is_all_trusted() {
    let shop = Shop::new();
    let mut running = Vec::new();
    for number in 0..8 {
        let directory = shop.0.root().join(format!("p{number}"));
        fs::create_dir(&directory).unwrap();
        let file = directory.join("mcplexer.yaml");
        fs::write(&file, "scopes: [github]\n").unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        let mut trust = shop.command(&directory, &["-q", "trust"]);
        running.push(Running::start(&mut trust).unwrap());
    }
    for mut process in running {
        assert!(process.wait().unwrap().success());
    }
    let list = shop.run("", &["trust", "--list"]).succeeded();
    assert_eq!(list.text().lines().count(), 8, "{}", list.text());
}

/// Only a person knows whom to trust.
#[test]
fn an_agent_cannot_trust() {
    let shop = Shop::new();
    let mut trust = shop.command("code/shop", &["trust"]);
    finish(trust.env("CLAUDECODE", "1")).failed(3, &["cannot trust a project for you"]);
    shop.given("code/shop", &[]).failed(3, &["is not trusted"]);
    let odd = shop.0.root().join("x$(touch ran)");
    fs::rename(shop.directory(), &odd).unwrap();
    let mut trust = shop.command(&odd, &["trust"]);
    let hint = "mcplexer trust ~/'x$(touch ran)'";
    finish(trust.env("CLAUDECODE", "1")).failed(3, &[hint]);
}

/// Editors that know the schema say the same as the command.
#[test]
fn the_schema_has_the_fields_of_the_file() {
    let shop = Shop::new();
    let schema = shop.run("", &["config", "schema", "--project"]).succeeded();
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    let names = |of: &serde_json::Value| {
        let names = of["properties"].as_object().unwrap().keys().cloned();
        names.collect::<Vec<_>>().join(", ")
    };
    shop.write(
        "mcplexer.yaml",
        "unknown: []\nprofiles: {a: {unknown: []}}\n",
    );
    let run = shop.run("code/shop", &["trust"]);
    let of_profile = &schema["properties"]["profiles"]["additionalProperties"];
    for fields in [names(&schema), names(of_profile)] {
        let mut fields: Vec<_> = fields.split(", ").collect();
        fields.sort_by_key(|it| {
            ["scopes", "env", "env_file", "profiles"]
                .iter()
                .position(|name| name == it)
        });
        let said = format!("the fields are {}", fields.join(", "));
        assert!(run.stderr.contains(&said), "{said}: {}", run.stderr);
    }
}
