//! The suites of every backend.

use std::time::Instant;

use mcplexer_secrets::conformance::{BACKEND, STORE_ON_BACKEND};

use crate::cluster::Cluster;

fn conforms(nodes: usize) {
    let Some(cluster) = Cluster::start(nodes) else {
        return;
    };
    for check in BACKEND.iter().chain(STORE_ON_BACKEND) {
        let begun = Instant::now();
        check.run(&*cluster.handles());
        println!("{} {:?}", check.name(), begun.elapsed());
    }
}

#[test]
fn one_node_is_a_backend() {
    conforms(1);
}

#[test]
fn three_nodes_are_a_backend() {
    conforms(3);
}
