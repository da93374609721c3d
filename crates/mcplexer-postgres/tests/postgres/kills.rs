//! A server that is killed or stopped while writers work.

use crate::server::{Server, address};
use crate::work::survive;

const SCHEMA: &str = "mcplexer";

fn survive_kills(writers: u32, kills: u32, changes: u32) {
    let Some(mut server) = Server::start(&["restart_after_crash=off"]) else {
        return;
    };
    let address = address(&[server.port()], SCHEMA);
    let told = survive(&address, &address, writers, changes, |progress| {
        for kill in 1..=kills {
            progress.wait_for(kill * writers * changes / (kills + 1));
            server.kill();
            server.begin();
        }
    });
    println!("{kills} kills: {told:?}");
}

/// Of a server that is stopped nobody knows whether it will answer.
fn survive_stops(writers: u32, stops: u32, changes: u32) {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let address = address(&[server.port()], SCHEMA);
    let told = survive(&address, &address, writers, changes, |progress| {
        for stop in 1..=stops {
            progress.wait_for(stop * writers * changes / (stops + 1));
            let stopped = server.stop();
            stopped.wait_for_silence();
        }
    });
    println!("{stops} stops: {told:?}");
    assert_eq!((told.failed, told.unknown), (0, 0), "it answers in the end");
}

#[test]
fn no_acknowledged_change_is_lost_when_the_server_is_killed() {
    survive_kills(4, 2, 24);
}

#[test]
fn no_change_is_lost_when_the_server_is_stopped() {
    survive_stops(4, 1, 24);
}

#[test]
#[ignore = "takes minutes"]
fn no_acknowledged_change_is_lost_when_the_server_is_killed_often() {
    for _ in 0..10 {
        survive_kills(16, 2, 100);
    }
}

#[test]
#[ignore = "takes minutes"]
fn no_change_is_lost_when_the_server_is_stopped_often() {
    for _ in 0..10 {
        survive_stops(16, 2, 100);
    }
}
