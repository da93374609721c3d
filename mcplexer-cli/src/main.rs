//! `mcplexer`: keeps API tokens out of MCP configurations, in an encrypted local store.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// Wipes what it frees: buffers inside libraries may have held a value.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    mcplexer_cli::main()
}
