//! A primary that is killed while writers work, and its standby, which takes its place.

use crate::server::{Server, address};
use crate::work::survive;

const SCHEMA: &str = "mcplexer";

fn survive_failover(writers: u32, changes: u32) {
    let Some(mut primary) = Server::start(&[]) else {
        return;
    };
    let standby = primary.standby("other", &[]);
    // Only now: a commit would wait for a standby that is not there yet.
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'other'");
    primary.sql("SELECT pg_reload_conf()");
    let both = address(&[primary.port(), standby.port()], SCHEMA);
    let told = survive(&both, &both, writers, changes, |progress| {
        progress.wait_for(writers * changes / 4);
        primary.kill();
        standby.promote();
    });
    println!("a failover: {told:?}");
}

#[test]
fn no_acknowledged_change_is_lost_when_a_standby_takes_over() {
    survive_failover(4, 24);
}

#[test]
#[ignore = "takes minutes"]
fn no_acknowledged_change_is_lost_when_a_standby_takes_over_under_load() {
    for _ in 0..10 {
        survive_failover(16, 100);
    }
}
