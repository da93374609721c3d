//! The `mcplexer` command for tests: with `MCPLEXER_CRASH_AT=N` in its environment, it kills itself with
//! SIGKILL right after the N-th operation on a file, counted from 1.

use std::alloc::System;
use std::process::ExitCode;

use rustix::process::{Signal, getpid, kill_process};
use zeroizing_alloc::ZeroAlloc;

#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let crash_at = std::env::var("MCPLEXER_CRASH_AT").ok();
    if let Some(at) = crash_at.and_then(|number| number.parse().ok()) {
        die_after(at);
    }
    mcplexer_cli::main()
}

fn die_after(operations: u64) {
    let mut done = 0;
    mcplexer_durable::observe(Some(Box::new(move |_| {
        done += 1;
        if done == operations {
            let _dead = kill_process(getpid(), Signal::KILL);
            // Nothing may be done before the signal arrives.
            loop {
                std::thread::park();
            }
        }
    })));
}
