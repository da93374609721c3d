//! A value is written as the format of the file has it, and a reference ends where it should.

use std::fs;

use crate::home::Home;

const VALUE: &str = "m4rked \"quoted\" it's\nline: two #2\\";

fn filled() -> Home {
    let home = Home::new();
    let put = ["-q", "secret", "put", "s", "K", "--newline", "keep"];
    home.pipe(put, VALUE.as_bytes()).succeeded();
    home.run(["-q", "secret", "put", "s", "PORT", "8080"])
        .succeeded();
    home
}

/// Infisical#3135: a value with a quote or a line end broke the file.
#[test]
fn a_value_is_escaped_by_the_name_of_the_file() {
    let home = filled();
    for (input, output, template) in [
        (
            "t",
            "out.json",
            "{\"k\": \"mcplexer://s/K\", \"port\": mcplexer://s/PORT}",
        ),
        (
            "t.json",
            "-",
            "{\"k\": \"mcplexer://s/K\", \"port\": mcplexer://s/PORT}",
        ),
        (
            "t",
            "out.yaml",
            "k: mcplexer://s/K\nport: mcplexer://s/PORT\n",
        ),
        (
            "t.yml.in",
            "-",
            "k: \"mcplexer://s/K\"\nport: mcplexer://s/PORT\n",
        ),
        (
            "t",
            "out.toml",
            "k = \"mcplexer://s/K\"\nport = mcplexer://s/PORT\n",
        ),
        (
            "t.toml.tmpl",
            "-",
            "k = \"mcplexer://s/K\"\nport = mcplexer://s/PORT\n",
        ),
    ] {
        fs::write(home.root().join(input), template).unwrap();
        let printed = home.run(["inject", "-i", input, "-o", output]).succeeded();
        let text = match output {
            "-" => printed.text().to_owned(),
            _ => fs::read_to_string(home.root().join(output)).unwrap(),
        };
        let value = match template.chars().nth(2) {
            Some('k') => serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            _ if template.starts_with("k:") => serde_json::json!({
                "k": text.lines().next().unwrap().strip_prefix("k: ").map(|it| serde_json::from_str::<String>(it).unwrap()),
                "port": text.lines().nth(1).unwrap().strip_prefix("port: ").unwrap().parse::<u16>().unwrap(),
            }),
            _ => serde_json::json!({
                "k": text.lines().next().unwrap().strip_prefix("k = ").map(|it| serde_json::from_str::<String>(it).unwrap()),
                "port": text.lines().nth(1).unwrap().strip_prefix("port = ").unwrap().parse::<u16>().unwrap(),
            }),
        };
        assert_eq!(
            value,
            serde_json::json!({"k": VALUE, "port": 8080}),
            "{text}"
        );
    }
    let json = b"{\"k\": \"mcplexer://s/K\"}";
    let asked = home.pipe(["inject", "--format", "json"], json).succeeded();
    let value: serde_json::Value = serde_json::from_str(asked.text()).unwrap();
    assert_eq!(value["k"], VALUE);
    let plain = home.pipe(["inject"], json).succeeded();
    assert_eq!(plain.text(), format!("{{\"k\": \"{VALUE}\"}}"));
    home.pipe(["inject", "--format", "xml"], json)
        .failed(2, &["possible values: text, json, yaml, toml, dotenv, ini"]);
    for name in ["out.json", "out.yaml", "out.toml"] {
        fs::remove_file(home.root().join(name)).unwrap();
    }
}

#[test]
fn a_value_that_the_format_cannot_hold_writes_nothing() {
    let home = filled();
    for (output, template, place) in [
        ("out.json", "{\"k\": mcplexer://s/K}", "line 1, column 7"),
        (
            "out.yaml",
            "a: b\nk: 'mcplexer://s/K'\n",
            "line 2, column 5",
        ),
        ("out.toml", "k = 'mcplexer://s/K'\n", "line 1, column 6"),
        ("out.env", "A=mcplexer://s/K\n", "line 1, column 3"),
        ("out.ini", "[a]\nk = mcplexer://s/K\n", "line 2, column 5"),
    ] {
        fs::write(home.root().join("t"), template).unwrap();
        fs::write(home.root().join(output), "old").unwrap();
        let run = home.run(["inject", "-i", "t", "-o", output]);
        let said = format!("t, {place}: mcplexer://s/K cannot be written here: ");
        let run = run.failed(2, &[&said, "nothing was written", "--format text"]);
        assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
        assert_eq!(fs::read_to_string(home.root().join(output)).unwrap(), "old");
        home.run(["inject", "-i", "t", "-o", output, "--format", "text"])
            .succeeded();
        fs::remove_file(home.root().join(output)).unwrap();
    }
    fs::write(home.root().join("t"), "a: [mcplexer://s/K\nb").unwrap();
    home.run(["inject", "-i", "t", "-o", "out.yaml"]).failed(
        2,
        &["t, line ", ": not YAML", "--format names another format"],
    );
}

/// A mark that adopting has put behind a reference ended up in the value.
#[test]
fn a_reference_ends_where_it_should() {
    let home = Home::with_secret("m4rked");
    for (template, text) in [
        ("mcplexer://github-token/TOKEN?adopted\n", "m4rked\n"),
        ("mcplexer://github-token/TOKEN?moved,x", "m4rked,x"),
        ("{mcplexer://github-token/TOKEN}_suffix", "m4rked_suffix"),
        ("{mcplexer://github-token/TOKEN?adopted}2", "m4rked2"),
        (
            "{mcplexer://}github-token/TOKEN",
            "mcplexer://github-token/TOKEN",
        ),
    ] {
        let filled = home.pipe(["inject"], template.as_bytes()).succeeded();
        assert_eq!(filled.text(), text);
        fs::write(
            home.root().join(".env"),
            format!("T=\"{}\"\n", template.trim_end()),
        )
        .unwrap();
        let print = [
            "run",
            "--env-file",
            ".env",
            "--",
            "sh",
            "-c",
            "printf %s \"$T\"",
        ];
        assert_eq!(home.run(print).succeeded().text(), text.trim_end());
    }
    fs::remove_file(home.root().join(".env")).unwrap();
    home.pipe(["inject"], b"as in mcplexer://SCOPE/KEY").failed(
        2,
        &["invalid reference", "spell mcplexer:// as {mcplexer://}"],
    );
}
