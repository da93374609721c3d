//! What comes out of the gateway is what went in, but for ids, progress tokens and the names of tools.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use tokio::task::JoinSet;

use super::random::Random;
use super::world::{Client, World, program};

const MIRROR: &str = env!("CARGO_BIN_EXE_mirror-server");

/// A member whose name has a colon before its value, and that no random one has the name of.
fn own(random: &mut Random, name: &str, value: &str) -> String {
    random.member(&format!("\"{name}\""), value)
}

/// A call of a tool, with `@ID@` for the id and the progress token, and `@TOOL@` for the name of the tool.
fn call(random: &mut Random, arguments: Option<&str>) -> String {
    let mut params = vec![own(random, "name", "\"@TOOL@\"")];
    if let Some(arguments) = arguments {
        params.push(own(random, "arguments", arguments));
    }
    if random.below(2) == 0 {
        let token = own(random, "progressToken", "@ID@");
        let meta = random.object(vec![token]);
        params.push(own(random, "_meta", &meta));
    }
    let params = random.object(params);
    let members = vec![
        own(random, "jsonrpc", "\"2.0\""),
        own(random, "id", "@ID@"),
        own(random, "method", "\"tools/call\""),
        own(random, "params", &params),
    ];
    random.object(members)
}

/// A number, or a string of any characters.
fn any_id(random: &mut Random, number: usize) -> String {
    match random.below(3) {
        0 => format!("\"{number} \\u00fc\\n\u{1f600}\""),
        1 => format!("\"{number}\""),
        _ => number.to_string(),
    }
}

/// Sends a call, and compares it with what the server got.
async fn goes_there(client: &mut Client, tool: &str, template: &str, id: &str) {
    client
        .send(&template.replace("@ID@", id).replace("@TOOL@", tool))
        .await;
    let line = client.line_after(template).await;
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(answer["id"], serde_json::from_str::<Value>(id).unwrap());
    let there = answer["result"]["line"]
        .as_str()
        .unwrap_or_else(|| panic!("{line:.2000} for {template:.2000}"));
    // The id that the server got stands where the template has one for the first time.
    let (before, _) = template.split_once("@ID@").unwrap();
    let before = before.replace("@TOOL@", "mirror");
    let digits: String = there
        .chars()
        .skip(before.chars().count())
        .take_while(char::is_ascii_digit)
        .collect();
    let expected = template
        .replace("@ID@", &digits)
        .replace("@TOOL@", "mirror");
    assert!(there == expected, "{there:.2000}\n{expected:.2000}");
}

/// Has the server send lines, and compares them with what arrives.
async fn comes_back(client: &mut Client, tool: &str, lines: &[String], id: &str) {
    let say = json!({ "name": tool, "say": lines, "_meta": { "progressToken": "mine" } });
    let ask = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{say}}}"#);
    client.send(&ask).await;
    for line in lines {
        let is_progress = line.contains("notifications/progress");
        let expected = line.replace("@ID@", if is_progress { "\"mine\"" } else { id });
        let came = client.line_after(&ask).await;
        assert!(came == expected, "{came:.2000}\n{expected:.2000}");
    }
}

/// An answer, with `@ID@` for the id.
fn answer(random: &mut Random) -> String {
    let value = random.value(5);
    let id = own(random, "id", "@ID@");
    let version = own(random, "jsonrpc", "\"2.0\"");
    let outcome = if random.below(4) == 0 {
        "error"
    } else {
        "result"
    };
    let outcome = own(random, outcome, &value);
    random.object(vec![id, version, outcome])
}

/// A notification that belongs to the call.
fn notification(random: &mut Random) -> String {
    let (method, member) = match random.below(2) {
        0 => (
            "\"notifications/progress\"",
            own(random, "progressToken", "@ID@"),
        ),
        _ => (
            "\"notifications/message\"",
            own(random, "level", "\"info\""),
        ),
    };
    let params = random.object(vec![member]);
    let members = vec![
        own(random, "method", method),
        own(random, "params", &params),
    ];
    random.object(members)
}

/// Returns how many messages passed.
async fn passes(server: Option<&str>, rounds: usize, seed: u64) -> usize {
    let tool = if server.is_some() {
        "mirror"
    } else {
        "mirror__mirror"
    };
    let world = World::new(vec![("mirror", program(MIRROR, &[], &[]))], &[]);
    let mut random = Random::new(seed);
    let mut client = world.client(server).await;
    let mut messages = 0;
    for number in 0..rounds {
        let arguments = (number % 7 > 0).then(|| {
            let members = random.members(4);
            random.object(members)
        });
        let template = call(&mut random, arguments.as_deref());
        let id = any_id(&mut random, number);
        goes_there(&mut client, tool, &template, &id).await;
        let lines = [notification(&mut random), answer(&mut random)];
        let lines = &lines[number % 2..];
        let id = any_id(&mut random, number);
        comes_back(&mut client, tool, lines, &id).await;
        // Two calls, the answer to the first, and what was compared to the letter.
        messages += 3 + lines.len();
    }
    for arguments in [
        format!(r#"{{"x":"{}"}}"#, "ü".repeat(1 << 20)),
        format!(r#"{{"deep":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000)),
        format!("[{}0]", "1.0,".repeat(500_000)),
    ] {
        goes_there(&mut client, tool, &call(&mut random, Some(&arguments)), "1").await;
        let lines = [format!(
            r#"{{"jsonrpc":"2.0","id":@ID@,"result":{arguments}}}"#
        )];
        comes_back(&mut client, tool, &lines, "2").await;
        messages += 4;
    }
    client.leave().await;
    world.stop().await;
    messages
}

/// Each with a gateway of its own, to one server or to all.
async fn pass(gateways: u64, rounds: usize) {
    let mut all = JoinSet::new();
    for seed in 0..gateways {
        let server = (seed % 2 == 0).then_some("mirror");
        all.spawn(passes(server, rounds, seed));
    }
    let messages: usize = all.join_all().await.into_iter().sum();
    eprintln!("{messages} messages");
}

#[tokio::test(flavor = "multi_thread")]
async fn random_messages_pass_in_both_directions() {
    pass(4, 130).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn very_many_random_messages_pass() {
    pass(16, 1_450).await;
}

/// The limit is 16 MiB. What is longer ends in an error, and nothing else ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_sixteen_mebibytes_passes_and_a_longer_one_does_not() {
    const LIMIT: usize = 16 << 20;
    let world = World::new(vec![("mirror", program(MIRROR, &[], &[]))], &[]);
    let mut client = world.client(Some("mirror")).await;
    let frame = r#"{"jsonrpc":"2.0","id":"@ID@","result":""}"#.len();
    for (length, passes) in [(LIMIT - frame, true), (LIMIT, false)] {
        let fill = json!({ "name": "mirror", "fill": length });
        client
            .send(&format!(
                r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{fill}}}"#
            ))
            .await;
        let line = client.line().await;
        let expected = format!(
            r#"{{"jsonrpc":"2.0","id":7,"result":"{}"}}"#,
            "x".repeat(length)
        );
        assert_eq!(line == expected, passes, "{line:.200}");
        assert!(
            passes || line.contains("mirror is longer than 16777216 bytes"),
            "{line:.200}"
        );
    }
    let whole = call_of(LIMIT);
    client.send(&whole.replace("@ID@", "8")).await;
    let answer = client.answer(8).await;
    let digest = |id: u32| {
        format!(
            "{:x}",
            Sha256::digest(whole.replace("@ID@", &id.to_string()))
        )
    };
    let found = (1..100).any(|id| answer["result"]["sha256"] == digest(id));
    assert!(found, "{answer}");
    client.send(&call_of(LIMIT + 16).replace("@ID@", "8")).await;
    assert!(client.line().await.contains("longer than 16777216 bytes"));
    goes_there(&mut client, "mirror", &call_of(100), "9").await;
    client.leave().await;
    world.stop().await;
}

/// A call of that length, with an id of one digit.
fn call_of(length: usize) -> String {
    let frame = |message: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":@ID@,"method":"tools/call","params":{{"name":"mirror","arguments":{{"x":"{message}"}}}}}}"#
        )
    };
    let more = "@ID@".len() - 1;
    frame(&"x".repeat((length + more).saturating_sub(frame("").len())))
}
