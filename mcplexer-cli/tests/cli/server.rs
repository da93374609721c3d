//! `mcplexer server`: tool servers in config.yaml, by command.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::thread;

use serde_json::{Value, json};

use super::home::{Home, Run, finish};

const VALUE: &str = "m4rked-S3cret-value-0123456789";

const FILE: &str = "\
# The team's servers
auth_scopes: [] # none yet

servers:
  # at work
  github: {command: [npx, -y, 'server-github']} # pinned
  figma:   # by HTTP
    url: https://mcp.example.com/mcp

# who sees what
clients: {cursor: {servers: [figma]}}
";

fn with_file(text: &str) -> Home {
    let home = Home::new();
    home.run(["key", "init"]).succeeded();
    fs::write(home.path("config.yaml"), text).unwrap();
    home
}

fn config(home: &Home) -> String {
    fs::read_to_string(home.path("config.yaml")).unwrap()
}

fn document(run: &Run) -> Value {
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn the_rest_of_the_file_stays_to_the_byte() {
    let home = with_file(FILE);
    let add = [
        "server",
        "add",
        "memory",
        "--",
        "npx",
        "-y",
        "server-memory",
    ];
    home.run(add).succeeded();
    let added = FILE.replace(
        "/mcp\n",
        "/mcp\n  memory:\n    command: [npx, \"-y\", server-memory]\n",
    );
    assert_eq!(config(&home), added);
    home.run(["server", "remove", "memory"]).succeeded();
    assert_eq!(config(&home), FILE);
    home.run(["server", "remove", "github"]).succeeded();
    let removed = FILE.replace(
        "  github: {command: [npx, -y, 'server-github']} # pinned\n",
        "",
    );
    assert_eq!(config(&home), removed);

    // Whatever is refused changes nothing.
    home.run(["server", "remove", "figma"])
        .failed(8, &["clients name the server figma: cursor"]);
    home.run(["server", "add", "figma", "--", "x"])
        .failed(8, &["has a server figma already", "--replace"]);
    home.run(["server", "remove", "github"])
        .failed(4, &["has no server github"]);
    assert_eq!(config(&home), removed);
    let broken = format!("{FILE}token: {VALUE}\n");
    fs::write(home.path("config.yaml"), &broken).unwrap();
    home.run(add)
        .failed(2, &["config.yaml:12:8: token: values are not allowed"]);
    assert_eq!(config(&home), broken);
}

#[test]
fn a_home_without_a_file_gets_one_and_a_file_keeps_its_mode_and_its_links() {
    let home = Home::new();
    home.run(["server", "list"]).succeeded();
    home.run(["server", "add", "a", "--", "x"]).succeeded();
    let mode = |home: &Home| fs::metadata(home.path("config.yaml")).unwrap().mode() & 0o777;
    assert_eq!(mode(&home), 0o600);
    assert_eq!(config(&home), "servers:\n  a:\n    command: [x]\n");

    let home = Home::new();
    home.run(["key", "init"]).succeeded();
    let team = home.root().join("team.yaml");
    fs::write(&team, "servers: {}\n").unwrap();
    fs::set_permissions(&team, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    symlink(&team, home.path("config.yaml")).unwrap();
    home.run(["server", "add", "a", "--", "x"]).succeeded();
    assert!(home.path("config.yaml").is_symlink());
    assert_eq!(mode(&home), 0o644);
    assert_eq!(
        fs::read_to_string(team).unwrap(),
        "servers:\n  a:\n    command: [x]\n"
    );
}

/// F17: a value is refused wherever it is given, and not repeated.
#[test]
fn no_argument_brings_a_value_into_the_file() {
    let home = with_file(FILE);
    let in_name = format!("{VALUE}=x");
    let env = format!("GITHUB_TOKEN={VALUE}");
    let header = format!("Authorization: Bearer {VALUE}");
    let url = format!("https://example.com/mcp?api_key={VALUE}");
    let user = format!("https://me:{VALUE}@example.com/mcp");
    for arguments in [
        &["--env", &env, "--", "x"][..],
        &["--env", VALUE, "--", "x"],
        &["--env", &in_name, "--", "x"],
        &["--", "x", "--api-key", VALUE],
        &["--", "x", &format!("--api-key={VALUE}")],
        &["--url", "https://h/", "--header", &header],
        &["--url", "https://h/", "--header", VALUE],
        &["--url", &url],
        &["--url", &user],
        &["--env", &env, "--url", "https://h/"],
        &["--header", &header, "--", "x"],
    ] {
        let run = home.run([&["server", "add", "new"], arguments].concat());
        let run = run.failed(2, &[]);
        assert!(!run.stderr.contains(VALUE), "{}", run.stderr);
        assert_eq!(config(&home), FILE);
    }
    let hint = "mcplexer secret put new GITHUB_TOKEN stores a value; mcplexer://new/GITHUB_TOKEN takes its place";
    home.run(["server", "add", "new", "--env", &env, "--", "x"])
        .failed(2, &[hint]);
    home.assert_no_trace_of(VALUE);
}

#[test]
fn what_the_store_lacks_is_said() {
    let home = Home::with_secret("v4lue-of-it");
    let add = |arguments: &[&str]| {
        let run = home.run([&["server", "add", "--replace", "x"], arguments].concat());
        run.succeeded().stderr
    };
    let known = add(&[
        "--env",
        "T=mcplexer://github-token/TOKEN",
        "--scope",
        "github-token",
        "--",
        "x",
    ]);
    assert!(!known.contains("warning"), "{known}");
    let unknown = add(&[
        "--env",
        "T=a {mcplexer://github-token/OTHER} mcplexer://gone/K",
        "--",
        "x",
    ]);
    for said in [
        "x refers to mcplexer://github-token/OTHER, which is not in the store",
        "hint: mcplexer secret put github-token OTHER stores it",
        "hint: mcplexer secret put gone K stores it",
    ] {
        assert!(unknown.contains(said), "{unknown}");
    }
    let scope = add(&["--scope", "gone", "--", "x"]);
    assert!(
        scope.contains("hint: mcplexer secret put gone KEY stores one"),
        "{scope}"
    );
    assert_eq!(home.run(["-q", "server", "rm", "x"]).succeeded().stderr, "");
}

#[test]
fn servers_of_a_client_are_imported_all_or_none() {
    let home = with_file("servers: {}\n");
    let write = |text: &str| fs::write(home.root().join("mcp.json"), text).unwrap();
    let from = ["server", "add", "--from", "mcp.json"];
    let file = json!({"mcpServers": {
        "Plain": {"command": "npx", "args": ["-y", "x"], "env": {"LOG": "info"}, "envFile": ".env"},
        "remote": {"url": "https://example.com/mcp", "headers": {"X-A": "b"}, "disabled": true},
        "bad": {"command": "npx", "env": {"API_KEY": VALUE}},
        "own": {"command": "npx", "args": ["${input:dir}"]},
        "line": {"command": "npx -y x"},
        "日本": {"command": "npx"},
    }});
    write(&file.to_string());
    let failed = home.run(from).failed(
        2,
        &[
            "mcp.json: bad: env: credentials are not allowed in config.yaml",
            "mcp.json: own: argument 1: the client fills in variables here",
            "mcp.json: line: it has no command and no URL",
            "mcp.json: 日本: no name",
            "hint: mcplexer adopt mcp.json --write moves its credentials into the store",
        ],
    );
    assert!(!failed.stderr.contains(VALUE));
    assert_eq!(config(&home), "servers: {}\n");
    home.run(["server", "add", "gone", "--from", "mcp.json"])
        .failed(4, &["no server gone in mcp.json"]);

    let plain = home
        .run(["server", "add", "Plain", "--from", "mcp.json"])
        .succeeded();
    assert!(
        plain
            .stderr
            .contains("Plain is called plain here\nplain: envFile is left out\n")
    );
    home.run(["server", "add", "remote", "--from", "mcp.json"])
        .succeeded();
    let list = document(&home.run(["server", "list", "--json"]).succeeded());
    let expected = json!([
        {"name": "plain", "command": ["npx", "-y", "x"], "env": {"LOG": "info"}},
        {"name": "remote", "url": "https://example.com/mcp", "headers": {"X-A": "b"}, "disabled": true},
    ]);
    assert_eq!(list["servers"], expected);
    home.run(["config", "check"]).succeeded();

    // Adopted, it is imported with references, and starts without `mcplexer run`.
    let adopted = json!({"mcpServers": {"bad": {"command": "npx", "args": ["-y"], "env": {"API_KEY": VALUE}}}});
    write(&adopted.to_string());
    home.run(["adopt", "mcp.json", "--write"]).succeeded();
    home.run(from).succeeded();
    let shown = document(&home.run(["server", "show", "bad", "--json"]).succeeded());
    let expected = json!({"name": "bad", "command": ["npx", "-y"], "env": {"API_KEY": "mcplexer://bad/API_KEY"}});
    assert_eq!(shown, expected);
    home.assert_no_trace_of(VALUE);
}

#[test]
fn servers_that_are_added_at_once_are_all_there() {
    let home = Home::new();
    thread::scope(|scope| {
        for number in 0..8 {
            let home = &home;
            scope.spawn(move || {
                let name = format!("s{number}");
                home.run(["server", "add", &name, "--", "x"]).succeeded();
            });
        }
    });
    let list = home.run(["server", "list"]).succeeded();
    let names: Vec<_> = (0..8).map(|number| format!("s{number}")).collect();
    assert_eq!(list.text().lines().collect::<Vec<_>>(), names);
}

/// The gateway starts a server in the home; what names a file beside the caller works in that directory only.
#[test]
fn a_command_with_a_relative_path_starts_where_its_file_is() {
    let home = with_file("");
    let place = home.root().join("work");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("local.sh"), "").unwrap();
    let add = |arguments: &[&str]| {
        let mut command = home.command();
        finish(
            command
                .current_dir(&place)
                .args(["server", "add"])
                .args(arguments),
        )
    };
    let whole = place.to_str().unwrap();
    let said = add(&["a", "--", "sh", "local.sh"]).succeeded();
    let said = said.stderr;
    assert!(
        said.contains("a starts in ~/work, because local.sh is there"),
        "{said}"
    );
    add(&["b", "--", "npx", "-y", "server-b"]).succeeded();
    add(&["c", "--directory", ".", "--", "npx", "-y", "server-c"]).succeeded();
    add(&["d", "--directory", "local.sh", "--", "x"]).failed(2, &["local.sh is not a directory"]);
    let of = |name: &str| {
        let run = home.run(["server", "show", name, "--json"]).succeeded();
        document(&run)["directory"].clone()
    };
    assert_eq!(
        [of("a"), of("b"), of("c")],
        [json!(whole), Value::Null, json!(whole)]
    );
    let shown = home.run(["server", "show", "b"]).succeeded();
    assert!(
        shown
            .text()
            .ends_with("# It starts in the home directory; `directory:` changes that.\n")
    );
    home.run(["server", "test", "a"])
        .failed(1, &["it starts in ~/work"]);
}

/// As a client does, which starts a project's servers in the project.
#[test]
fn the_servers_of_a_project_start_in_it() {
    let home = with_file("");
    let place = home.root().join("work");
    fs::create_dir_all(place.join("dist")).unwrap();
    fs::write(place.join("server.py"), "").unwrap();
    fs::write(place.join("dist/index.js"), "").unwrap();
    let text = r#"{"mcpServers": {
        "a": {"command": "python", "args": ["server.py"]},
        "b": {"command": "node", "args": ["dist/index.js"]},
        "c": {"command": "uv", "args": ["--directory", "dist", "run", "x"]},
        "d": {"command": "npx", "args": ["-y", "@acme/fs"]}
    }}"#;
    let (of_project, of_user) = (
        place.join(".mcp.json"),
        home.root().join(".cursor/mcp.json"),
    );
    fs::create_dir(home.root().join(".cursor")).unwrap();
    fs::write(&of_project, text).unwrap();
    fs::write(&of_user, text).unwrap();
    let plan = ["adopt", "--gateway", of_user.to_str().unwrap(), "--json"];
    let stays = document(&home.run(plan))["files"][0]["gateway"]["stays"].clone();
    let names: Vec<_> = stays
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["server"])
        .collect();
    assert_eq!(names, ["b"]);
    home.run(["server", "add", "--from", of_user.to_str().unwrap()])
        .failed(2, &["dist/index.js is a relative path"]);
    home.run([
        "adopt",
        "--gateway",
        of_project.to_str().unwrap(),
        "--write",
    ])
    .succeeded();
    for name in ["a", "b", "c", "d"] {
        let shown = document(&home.run(["server", "show", name, "--json"]).succeeded());
        let directory = (name != "d").then(|| place.to_str().unwrap());
        assert_eq!(shown["directory"].as_str(), directory, "{name}");
    }
}
