//! Completion at the command line.

mod answers;
mod tab;

use super::home::{Home, Run, finish};

/// Asks for completions as the script for fish does. The last word is the one at the cursor.
fn ask(home: &Home, words: &[&str]) -> Run {
    let mut command = home.command();
    command.env("MCPLEXER_COMPLETE", "fish");
    command.args(["--", "mcplexer"]).args(words);
    finish(&mut command)
}

/// Lets a key that nobody has open the store, under this label.
fn add_owner(home: &Home, label: &str) {
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let add = ["key", "add", &recipient, "--label", label];
    home.run(add).succeeded();
}
