//! What `run --mask` and `scan` look for: members and lines of a value that are credentials themselves, and no
//! everyday values.

use std::fs;

use super::home::{Home, Run};

fn masked(home: &Home, script: &str) -> Run {
    home.run(["run", "--mask", "--scope", "s", "--", "sh", "-c", script])
}

fn put(home: &Home, key: &str, value: &str) {
    home.pipe(["secret", "put", "s", key], value.as_bytes())
        .succeeded();
}

/// Files that are stored whole, of which a program prints a part.
#[test]
fn credentials_within_a_value_are_masked_and_found() {
    let home = Home::new();
    let account = r#"{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcw/w==\n-----END PRIVATE KEY-----\n","password":"foobar99"}"#;
    put(&home, "ACCOUNT", account);
    put(&home, "ENVFILE", "MODE=fast\nDB_PASSWORD=hunter2pass\n");
    put(
        &home,
        "NETRC",
        "machine a login b password s3cr3tpw\nmachine c login d password other-pw\n",
    );
    put(
        &home,
        "KUBE",
        "users:\n- user:\n    token: kubetoken-abcdef\n",
    );
    let run = masked(
        &home,
        r#"printf '%b' "$ACCOUNT" | sed -n 's/^BKcw.*/last line &/p'; echo '"password": "foobar99"'
           echo "$ENVFILE" | sort; echo "$NETRC" | head -n 1; echo "$KUBE" | grep token"#,
    );
    assert_eq!(
        run.succeeded().text(),
        "last line [s/ACCOUNT]\n\"password\": \"[s/ACCOUNT]\"\nDB_PASSWORD=[s/ENVFILE]\nMODE=fast\n\
         machine a login b password [s/NETRC]\n    token: [s/KUBE]\n"
    );
    fs::write(
        home.path("../found"),
        "hunter2pass\nservice_account\nother-pw\nfoobar99\nMODE=fast\n",
    )
    .unwrap();
    let file = home.path("../found").canonicalize().unwrap();
    let run = home.run(["scan", file.to_str().unwrap()]);
    let lines: Vec<_> = run
        .text()
        .lines()
        .filter_map(|it| it.rsplit("found:").next())
        .collect();
    assert_eq!(
        lines,
        ["1: s/ENVFILE", "3: s/NETRC", "4: s/ACCOUNT"],
        "{}",
        run.stderr
    );
    assert_eq!(run.code, 6);
}

/// Nobody's log and nobody's commit is free of these.
#[test]
fn everyday_values_are_left_out_and_named_once() {
    let home = Home::new();
    let file = home.root().join("in.env");
    fs::write(
        &file,
        "TOKEN=abc12345xyz\nPORT=8080\nNODE_ENV=production\nFLAG=true\nREGION=us-east-1\nDB_PASSWORD=staging\n",
    )
    .unwrap();
    let run = home
        .run(["import", "s", file.to_str().unwrap()])
        .succeeded();
    let names = "PORT, NODE_ENV, FLAG, REGION";
    let said = format!("everyday values, which run --mask and scan leave out: {names}\n");
    assert!(run.stderr.ends_with(&said), "{}", run.stderr);
    fs::remove_file(&file).unwrap();
    let labels = "s/FLAG, s/NODE_ENV, s/PORT, s/REGION";
    let run = masked(&home, "echo true production 8080 us-east-1 staging $TOKEN").succeeded();
    assert_eq!(
        run.text(),
        "true production 8080 us-east-1 [s/DB_PASSWORD] [s/TOKEN]\n"
    );
    assert_eq!(
        run.stderr,
        format!("not masked (everyday values): {labels}\n")
    );
    let conf = home.root().join("app.conf");
    fs::write(&conf, "listen 8080;\nmode: production\nflag: true\n").unwrap();
    let run = home.run(["scan", conf.to_str().unwrap()]).succeeded();
    assert_eq!(
        run.stderr,
        format!("skipped (everyday values): {labels}\n1 file, 2 secrets: no match\n")
    );
}
