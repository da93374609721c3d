//! A server that is killed while writers work.

use crate::server::{Server, address};
use crate::work::survive;

const SCHEMA: &str = "mcplexer";

fn survive_kills(kills: u32, changes: u32) {
    let Some(mut server) = Server::start(&["restart_after_crash=off"]) else {
        return;
    };
    let address = address(&[server.port()], SCHEMA);
    let told = survive(&address, &address, changes, |progress| {
        for kill in 1..=kills {
            progress.wait_for(kill * 4 * changes / (kills + 1));
            server.kill();
            server.begin();
        }
    });
    println!("{kills} kills: {told:?}");
}

#[test]
fn no_acknowledged_change_is_lost_when_the_server_is_killed() {
    survive_kills(2, 24);
}

#[test]
#[ignore = "takes minutes"]
fn no_acknowledged_change_is_lost_when_the_server_is_killed_often() {
    survive_kills(20, 1000);
}
