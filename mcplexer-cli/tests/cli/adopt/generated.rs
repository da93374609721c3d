//! Credentials and ordinary values in files of every client: which are found, and which are taken for some.

mod credentials;
mod files;
mod held_out;
mod made;
mod ordinary;
mod random;
mod rows;

use std::collections::HashSet;
use std::fs;

use serde_json::Value;

use crate::home::{Home, finish, write_program};
use files::{CLIENTS, Entry};
use made::{Inserted, Made, PROGRAMS, make};
use rows::Rows;

/// Returns the findings that are, or are taken for, credentials: server, place and name.
fn reported(document: &Value) -> HashSet<(String, String, String)> {
    let findings = document["files"][0]["findings"].as_array().unwrap().iter();
    let reported = findings.filter(|it| !it["reason"].is_null());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let member = |it: &Value| {
        let (place, name) = (text(&it["place"]), text(&it["name"]));
        (text(&it["server"]), place, name)
    };
    reported.map(member).collect()
}

fn is_in(reported: &HashSet<(String, String, String)>, it: &Inserted) -> bool {
    reported.contains(&(it.server.clone(), it.place.to_owned(), it.name.clone()))
}

/// Starts adopted servers as a client does, and compares their environment.
fn assert_started(home: &Home, made: &Made, document: &Value) {
    let findings = document["files"][0]["findings"].as_array().unwrap();
    let others = ["HOME", "PATH"];
    let is_started = |it: &&Entry| {
        let moves = |finding: &Value| finding["server"] == *it.name && finding["scope"].is_string();
        findings.iter().any(moves) && !it.env.iter().any(|(name, _)| others.contains(&&**name))
    };
    for entry in made.entries.iter().filter(is_started).step_by(13) {
        let mut server = home.command();
        server.arg("run").args(&entry.command);
        server.env("PATH", home.root().join("bin"));
        let mut expected = Vec::new();
        for (name, value) in &entry.env {
            let finding = findings
                .iter()
                .find(|it| it["server"] == entry.name.as_str() && it["name"] == name.as_str());
            let finding = finding.unwrap();
            let given = match (finding["scope"].as_str(), finding["key"].as_str()) {
                (Some(scope), Some(key)) => format!("mcplexer://{scope}/{key}?adopted"),
                _ => value.clone(),
            };
            server.env(name, given);
            expected.push(format!("{name}={value}\0"));
        }
        finish(&mut server).succeeded();
        let environment = fs::read_to_string(home.root().join("env")).unwrap();
        for variable in expected {
            assert!(environment.contains(&variable), "{}", entry.name);
        }
    }
}

/// Adopts the arguments of a file as well, and undoes it; returns how many moved.
fn arguments_move(home: &Home, name: &str, text: &str) -> usize {
    let path = home.root().join(name);
    let adopt = ["adopt", "--json", name, "--write", "--allow-arguments"];
    let document: Value = serde_json::from_str(home.run(adopt).succeeded().text()).unwrap();
    let findings = document["files"][0]["findings"].as_array().unwrap().iter();
    let (mut moved, mut left) = (0, Vec::new());
    for finding in findings.filter(|it| it["place"] == "argument") {
        match finding["scope"].is_string() {
            true => moved += 1,
            false => left.push(finding["left"].clone()),
        }
    }
    eprintln!("{name}: {moved} arguments, left {left:?}");
    home.run(["adopt", "--undo", name]).succeeded();
    assert!(fs::read_to_string(&path).unwrap() == text, "{name}");
    moved
}

#[test]
fn credentials_are_found_and_ordinary_values_are_not_in_files_of_every_client() {
    assert_found(&Rows::of_the_rules());
}

#[test]
fn rows_that_were_written_without_the_rules_are_found_as_well() {
    assert_found(&Rows::unseen());
}

#[test]
fn rows_of_other_services_are_found_as_well() {
    assert_found(&Rows::unseen_later());
}

#[test]
fn rows_of_public_tool_servers_are_found_as_well() {
    assert_found(&Rows::unseen_last());
}

#[test]
fn rows_of_more_public_tool_servers_are_found_as_well() {
    assert_found(&Rows::unseen_sixth());
}

#[test]
fn rows_of_many_kinds_of_servers_are_found_as_well() {
    assert_found(&Rows::unseen_seventh());
}

fn assert_found(rows: &[Rows; 2]) {
    let (mut credentials, mut ordinary, mut in_arguments) = (0, 0, 0);
    let (mut missed, mut taken) = ([0; 2], [0; 2]);
    // Who changes a rule looks at the others only.
    let shows_held_out = std::env::var_os("MCPLEXER_TEST_SHOW_HELD_OUT").is_some();
    let mut shown = String::new();
    for (number, &(name, format)) in CLIENTS.iter().enumerate() {
        let made = make(number, rows);
        let home = Home::new();
        fs::create_dir(home.root().join("bin")).unwrap();
        for program in PROGRAMS {
            let script = "#!/bin/sh\n/usr/bin/env -0 > \"$HOME/env\"\n";
            write_program(&home.root().join("bin").join(program), script);
        }
        let path = home.root().join(name);
        let text = files::write(format, &made.entries);
        fs::write(&path, &text).unwrap();
        let run = home.run(["adopt", "--json", name, "--write"]).succeeded();
        let document: Value = serde_json::from_str(run.text()).unwrap();
        let reported = reported(&document);
        assert_eq!(
            document["files"][0]["written"], true,
            "{name}: {}",
            run.stderr
        );
        credentials += made.credentials.len();
        ordinary += made.ordinary.len();
        for it in made.credentials.iter().filter(|it| !is_in(&reported, it)) {
            missed[usize::from(it.is_held_out)] += 1;
            if shows_held_out || !it.is_held_out {
                shown += &format!("missed in {name}: {}: {}\n", it.row, it.value);
            }
        }
        for it in made.ordinary.iter().filter(|it| is_in(&reported, it)) {
            taken[usize::from(it.is_held_out)] += 1;
            if shows_held_out || !it.is_held_out {
                shown += &format!("taken in {name}: {}: {}\n", it.row, it.value);
            }
        }
        assert_started(&home, &made, &document);
        let adopted = fs::read_to_string(&path).unwrap();
        for finding in document["files"][0]["findings"].as_array().unwrap() {
            if let (Some(scope), Some(key)) = (finding["scope"].as_str(), finding["key"].as_str()) {
                assert!(
                    adopted.contains(&format!("mcplexer://{scope}/{key}?adopted")),
                    "{name}"
                );
            }
        }
        home.run(["adopt", "--undo", name]).succeeded();
        assert!(fs::read_to_string(&path).unwrap() == text, "{name}");
        in_arguments += arguments_move(&home, name, &text);
    }
    assert!(in_arguments >= 400, "{in_arguments}");
    eprintln!(
        "{shown}{credentials} credentials, missed {missed:?}; {ordinary} ordinary values, taken {taken:?}"
    );
    assert!(
        credentials >= 2_600 && ordinary >= 1_900,
        "{credentials} {ordinary}"
    );
    assert!(missed[0] + missed[1] <= 5 && taken[0] + taken[1] <= 5);
}
